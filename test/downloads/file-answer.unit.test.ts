/** Ranges and conditions by RFC 9110, as a table. */
import { describe, expect, it } from "vitest";
import { answerOf } from "../../src/downloads/file-answer.ts";
import { growthOf, linearRatio } from "../support/growth.ts";

const file = { name: "a.mp3", mimeType: "audio/mpeg", disposition: "inline", sizeBytes: 1_000, sha256: "ab" } as const;
const etag = '"ab"';

type Request = Parameters<typeof answerOf>[0];
const seen = (request: Request, sizeBytes = 1_000) => {
  const { status, headers, range } = answerOf(request, { ...file, sizeBytes }, 60);
  return [status, headers["content-range"], headers["content-length"], range.start, range.end];
};
const whole = [200, undefined, 1_000, 0, 1_000];
const unsatisfiable = [416, "bytes */1000", undefined, 0, 0];

describe("a range", () => {
  it.each<[string, unknown[]]>([
    ["bytes=0-99", [206, "bytes 0-99/1000", 100, 0, 100]],
    ["bytes=0-0", [206, "bytes 0-0/1000", 1, 0, 1]],
    ["bytes=999-", [206, "bytes 999-999/1000", 1, 999, 1_000]],
    ["bytes=0-", [206, "bytes 0-999/1000", 1_000, 0, 1_000]],
    ["bytes=900-5000", [206, "bytes 900-999/1000", 100, 900, 1_000]],
    ["bytes=-1", [206, "bytes 999-999/1000", 1, 999, 1_000]],
    ["bytes=-5000", [206, "bytes 0-999/1000", 1_000, 0, 1_000]],
    ["Bytes= 0-9 ,", [206, "bytes 0-9/1000", 10, 0, 10]],
    ["bytes=1000-", unsatisfiable],
    ["bytes=1000-1001,5000-", unsatisfiable],
    ["bytes=-0", unsatisfiable],
    ["bytes=99999999999999999999999-", unsatisfiable],
    ["bytes=0-99999999999999999999999", [206, "bytes 0-999/1000", 1_000, 0, 1_000]],
    ["bytes=0-1,5000-", [206, "bytes 0-1/1000", 2, 0, 2]],
    ["bytes=0-1,10-11", whole],
    ["bytes=0-,0-", whole],
    ["bytes=10-5", whole],
    ["bytes=a-b", whole],
    ["bytes=1.5-2", whole],
    ["bytes=--1", whole],
    ["bytes=", whole],
    ["bytes", whole],
    ["", whole],
    ["items=0-1", whole],
    ["bytes=0-1, bytes=2-3", whole],
  ])("%j", (range, expected) => {
    expect(seen({ range })).toEqual(expected);
  });

  it.each(["bytes=0-", "bytes=-1", "bytes=5-9", "bytes=0-0"])("%j of an empty file is the whole of it", (range) => {
    expect(seen({ range }, 0)).toEqual([200, undefined, 0, 0, 0]);
  });

  it("among as many as a header holds takes no longer than its letters", async () => {
    const growth = await growthOf(
      "ranges",
      (count) => `bytes=${"0-,".repeat(count)}`,
      (range) => seen({ range }),
      [1_000, 10_000, 100_000],
    );
    expect(growth.ratio).toBeLessThan(linearRatio);
    expect(seen({ range: `bytes=${"0-,".repeat(1_000)}` })).toEqual(whole);
  });

  it("is sent if the file is the one that the client has a part of", () => {
    const range = "bytes=0-99";
    expect(seen({ range, "if-range": etag })[0]).toBe(206);
    for (const stale of ['"cd"', `W/${etag}`, "ab", "", "Fri, 27 Nov 2026 00:00:00 GMT"]) {
      expect(seen({ range, "if-range": stale }), stale).toEqual(whole);
    }
    expect(seen({ range: "bytes=5000-", "if-range": '"cd"' })).toEqual(whole);
  });
});

describe("a condition", () => {
  it.each([etag, `W/${etag}`, "*", `"x", ${etag} ,"y"`, ` ${etag}`])("%j is met by the file", (tags) => {
    const { status, headers } = answerOf({ "if-none-match": tags, range: "bytes=0-9" }, file, 60);
    expect(status).toBe(304);
    expect(headers).toMatchObject({ etag, "cache-control": "private, max-age=60" });
    expect(Object.keys(headers)).not.toContain("content-length");
    expect(Object.keys(headers)).not.toContain("content-type");
  });

  it.each(['"cd"', "ab", '"a"b"', "", "w/x"])("%j is met by another", (tags) => {
    expect(seen({ "if-none-match": tags })).toEqual(whole);
  });
});

describe("the headers", () => {
  it("of a file let browsers of all pages play it, keep it for its viewer, and run nothing in it", () => {
    expect(answerOf({}, file, 59.9).headers).toEqual({
      "accept-ranges": "bytes",
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "accept-ranges, content-disposition, content-length, content-range, etag",
      "cache-control": "private, max-age=59",
      "content-disposition": "inline; filename=a.mp3",
      "content-length": 1_000,
      "content-security-policy": "sandbox; default-src 'none'; media-src 'self'",
      "content-type": "audio/mpeg",
      "cross-origin-resource-policy": "cross-origin",
      etag,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
    expect(answerOf({}, file, -5).headers["cache-control"]).toBe("private, max-age=0");
  });

  it.each([{}, { range: "bytes=0-9" }, { "if-none-match": etag }])(
    "of a live file keep it from caches (%j)",
    (request) => {
      expect(answerOf(request, { ...file, isLive: true }, 60).headers["cache-control"]).toBe("no-store");
    },
  );
});
