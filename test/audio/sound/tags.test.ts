/** Tags and covers of files, hostile ones too, and the thread that reads them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AudioFormat } from "../../../src/audio/sound/format.ts";
import { ThreadedTagReader } from "../../../src/audio/sound/tag-reader.ts";
import { clean, noTags, readTagsAndCoverOf, readTagsOf } from "../../../src/audio/sound/tags.ts";
import { longestTurn } from "../../support/event-loop.ts";
import { collectedLog, silent as logger } from "../../support/logs.ts";
import { id3Tag, makeM4a, makeMp3, png } from "../../support/sounds.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lectern-tags-"));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${++files}`);
  await writeFile(path, bytes);
  return path;
}
const coverOf = async (cover: Buffer) =>
  (await readTagsAndCoverOf(await fileOf(Buffer.concat([id3Tag({ cover }), makeMp3({ seconds: 1 })])), "audio/mpeg"))
    .cover;

describe("tags", () => {
  const tags = { title: "Tôi", artist: "A & B", album: "-y /tmp/x" };

  it.each<[string, Buffer, AudioFormat]>([
    ["an MP3", makeMp3({ seconds: 1, ...tags }), "audio/mpeg"],
    ["an M4A with AAC", makeM4a({ seconds: 1, ...tags }), "audio/mp4"],
    ["an M4A with ALAC", makeM4a({ seconds: 1, codec: "alac", ...tags }), "audio/mp4"],
  ])("of %s file are read", async (_name, bytes, mimeType) => {
    expect(await readTagsOf(await fileOf(bytes), mimeType)).toEqual(tags);
  });

  it.each(["AC/DC", "One; Two", "<script>alert(1)</script>"])("have the whole artist %s", async (artist) => {
    for (const bytes of [
      Buffer.concat([id3Tag({ texts: { TPE1: artist } }), makeMp3({ seconds: 1 })]),
      makeMp3({ seconds: 1, artist }),
    ]) {
      expect((await readTagsOf(await fileOf(bytes), "audio/mpeg")).artist).toBe(artist);
    }
  });

  it("are null if they are absent or blank", async () => {
    const bytes = Buffer.concat([id3Tag({ texts: { TIT2: " \u0001\u202e " } }), makeMp3({ seconds: 1 })]);
    expect(await readTagsOf(await fileOf(bytes), "audio/mpeg")).toEqual(noTags);
  });

  it("are read by the parser of the detected type", async () => {
    expect(await readTagsOf(await fileOf(makeMp3({ seconds: 1, ...tags })), "audio/mp4")).toEqual(noTags);
  });

  it("have no control characters, no white space at their ends and at most 500 characters", () => {
    expect(clean(" \u0000a\u001b[31m\u202eb\n")).toBe("a [31m b");
    expect(clean(undefined)).toBeNull();
    expect(clean("\n")).toBeNull();
    expect(clean("<script>alert(1)</script>")).toBe("<script>alert(1)</script>");
    expect(clean("𝄞".repeat(501))).toBe("𝄞".repeat(500));
    // Cut between the halves of a character.
    expect(clean(`${" ".repeat(4_999)}𝄞`)).toBeNull();
    expect(clean("x".repeat(1_000_000))).toBe("x".repeat(500));
  });
});

describe("a cover", () => {
  it("has the type of its bytes", async () => {
    expect(await coverOf(png)).toEqual({ bytes: new Uint8Array(png), mimeType: "image/png" });
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
    expect((await coverOf(jpeg))?.mimeType).toBe("image/jpeg");
  });

  it("is ignored if it is no image, another image, or larger than 5 MB", async () => {
    expect(await coverOf(Buffer.from("<svg onload='alert(1)'/>"))).toBeNull();
    expect(await coverOf(Buffer.from("GIF89a\x01\0\x01\0\0\0\0;", "latin1"))).toBeNull();
    expect(await coverOf(Buffer.concat([png, Buffer.alloc(5_000_000)]))).toBeNull();
    expect(await coverOf(Buffer.concat([png, Buffer.alloc(5_000_000 - png.length)]))).not.toBeNull();
  });
});

describe("the reader", () => {
  let reader: ThreadedTagReader | undefined;
  afterEach(() => reader?.close());

  it("reads on a thread, without a turn for the size of a tag", async () => {
    reader = new ThreadedTagReader({ memoryMb: 500, timeoutMs: 60_000, logger });
    await reader.warmUp();
    const huge = Buffer.concat([id3Tag({ texts: { TIT2: "x".repeat(25_000_000) } }), makeMp3({ seconds: 1 })]);
    const path = await fileOf(huge);
    const { result, turnMs } = await longestTurn(async () => reader?.read(path, "audio/mpeg"));
    expect(result).toEqual({ ...noTags, title: "x".repeat(500) });
    expect(turnMs).toBeLessThan(50);
  });

  it("finds no tags in files that cannot be read", async () => {
    const { logger: log, lines } = collectedLog();
    reader = new ThreadedTagReader({ memoryMb: 500, timeoutMs: 60_000, logger: log });
    const mp3 = makeMp3({ seconds: 1, title: "Found" });
    for (const path of [join(folder, "missing"), await fileOf(Buffer.alloc(0)), await fileOf(mp3)]) {
      expect(await reader.read(path, "audio/mp4")).toEqual(noTags);
    }
    expect(lines).toMatchObject([{ msg: "tags were not read", err: { message: expect.stringMatching(/^ENOENT/) } }]);
    expect(await reader.read(await fileOf(mp3), "audio/mpeg")).toMatchObject({ title: "Found" });
  });
});
