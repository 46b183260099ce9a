/** The text that players read: one address after the other, with titles that stay on their line. */
import { describe, expect, it } from "vitest";
import { m3uOf } from "../../src/schedules/m3u.ts";

const entry = { address: "http://lectern.test/a.mp3", durationMs: 61_005, title: "Aria", artist: null };
const titleOf = (title: string, artist: string | null = null) => {
  const [, ...lines] = m3uOf([{ ...entry, title, artist }]).split("\n");
  expect(lines.slice(1)).toEqual([entry.address, ""]);
  return lines[0]?.replace("#EXTINF:61.005,", "");
};

describe("a playlist for players", () => {
  it("has the length, the artist, the title and the address of each track, in order", () => {
    const other = { address: "http://lectern.test/b.mp3", durationMs: 5, title: "Đi, về – 🎵", artist: "Bach" };
    expect(m3uOf([entry, other])).toBe(
      [
        "#EXTM3U",
        "#EXTINF:61.005,Aria",
        "http://lectern.test/a.mp3",
        "#EXTINF:0.005,Bach - Đi, về – 🎵",
        "http://lectern.test/b.mp3",
        "",
      ].join("\n"),
    );
  });

  it("without tracks is one all the same", () => {
    expect(m3uOf([])).toBe("#EXTM3U\n");
  });

  it("is no stream of HLS, whose files would be segments", () => {
    expect(m3uOf([entry])).not.toContain("#EXT-X-");
  });

  it.each(["\n", "\r\n", "\r", "\u0085", "\u2028", "\u2029", "\v", "\0"])("keeps a text with %j on one line", (end) => {
    expect(titleOf(`Aria${end}http://evil.test/${end}`, `J.${end}S.`)).toBe("J. S. - Aria http://evil.test/");
  });
});
