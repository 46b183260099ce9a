/** Names of files in headers and addresses, whatever a client has called them. */
import { parse } from "content-disposition";
import { describe, expect, it } from "vitest";
import { dispositionOf, pathNameOf } from "../../src/downloads/file-names.ts";

const long = `${"長".repeat(300)}.mp3`;

const names: [given: string, saved: string][] = [
  ["song.mp3", "song.mp3"],
  ["日本語 – Ä ö.mp3", "日本語 – Ä ö.mp3"],
  ['say "hi" \\ 100% (1); a=b.mp3', 'say "hi" _ 100% (1); a=b.mp3'],
  ["a\r\nset-cookie: b\0\t.mp3", "aset-cookie: b.mp3"],
  ["\u202e3pm.exe", "3pm.exe"],
  ["a\u2066b\u2069\u2028c.mp3", "abc.mp3"],
  ["\ud800lone.mp3", "\ufffdlone.mp3"],
  ["../../etc/passwd", "_._.._etc_passwd"],
  [".htaccess", "_htaccess"],
  ["..", "_."],
  ["", "file"],
  [" \r\n ", "file"],
  [long, `${"長".repeat(116)}.mp3`],
  ["🎵".repeat(300), "🎵".repeat(120)],
  [`${"x".repeat(300)}.${"y".repeat(20)}`, "x".repeat(120)],
];

describe("a name", () => {
  it.each(names)("%j is saved as %j", (given, saved) => {
    const header = dispositionOf({ name: given, disposition: "attachment" });
    // Node refuses other characters in a header.
    expect(header).toMatch(/^attachment; filename[\x20-\x7e]+$/);
    expect(parse(header)).toEqual({ type: "attachment", parameters: { filename: saved } });
  });

  it.each(names)("%j ends an address as %j, in any quotes", (given, saved) => {
    const part = pathNameOf(given);
    expect(part).toMatch(/^[\w.~%-]+$/);
    expect(decodeURIComponent(part)).toBe(saved);
    expect(new URL(`http://lectern.test/files/a/b/${part}?c`).pathname).toBe(`/files/a/b/${part}`);
  });

  it("may be shown or saved", () => {
    expect(dispositionOf({ name: "a.mp3", disposition: "inline" })).toMatch(/^inline; filename=/);
  });
});
