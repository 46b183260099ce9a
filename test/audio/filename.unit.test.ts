import { describe, expect, it } from "vitest";
import { audioFilename, titleOfName } from "../../src/audio/filename.ts";

describe("the name of an audio file", () => {
  it.each([
    ["Song.MP3", "Song.mp3"],
    ["song", "song.mp3"],
    ["song.m4a", "song.mp3"],
    ["a.b.c.mp3", "a.b.c.mp3"],
    ["...hidden.mp3", "hidden.mp3"],
    [" . . ", "audio.mp3"],
    ["", "audio.mp3"],
    [".mp3", "audio.mp3"],
    ['a/b\\c:d*e?f"g<h>i|j.mp3', "a b c d e f g h i j.mp3"],
    ["two   spaces\tand a tab .mp3", "two spaces and a tab.mp3"],
    ["trailing dots....mp3", "trailing dots.mp3"],
    ["Bài hát 🎵.mp3", "Bài hát 🎵.mp3"],
    ["no.ending that is one", "no.ending that is one.mp3"],
  ])("%j becomes %j", (sent, made) => {
    expect(audioFilename(sent, "audio/mpeg")).toBe(made);
  });

  it("has at most 180 characters before its ending, none of them cut in half", () => {
    const name = audioFilename("🎵".repeat(300), "audio/mp4");
    expect(name).toBe(`${"🎵".repeat(180)}.m4a`);
    expect(audioFilename(`${"x".repeat(179)}.${"y".repeat(50)}`, "audio/mpeg")).toBe(`${"x".repeat(179)}.mp3`);
  });

  it("is a title without its ending", () => {
    expect(titleOfName("My song.mp3")).toBe("My song");
  });
});
