import { expect, it } from "vitest";
import { displayName } from "../../src/uploads/file-name.ts";

it("a file's name is the last part of a path, without invisible characters, and not too long", () => {
  const names = {
    "Emma.txt": "Emma.txt",
    "../../etc/passwd": "passwd",
    "C:\\books\\Emma.txt": "Emma.txt",
    "..": "",
    "a/..": "",
    "a/.": "",
    "...": "...",
    " \u0000\r\n\t\u202E\u200B\u2028 ": "",
    "Tôi là\u0301 Emma 🎧.mp3": "Tôi là\u0301 Emma 🎧.mp3",
    [`half ${"🎧".slice(1)}.txt`]: "half .txt",
    "-rf": "-rf",
  };
  expect(Object.keys(names).map(displayName)).toEqual(Object.values(names));
  expect(displayName(`${"🎧".repeat(1_000)}.mp3`)).toBe(`${"🎧".repeat(251)}.mp3`);
  expect(displayName("/".repeat(1_000_000))).toBe("");
});
