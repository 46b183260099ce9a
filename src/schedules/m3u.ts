/**
 * An extended M3U playlist in UTF-8. VLC and mpv play its files one after the other and show their titles. It has no tag
 * of HLS (`#EXT-X-…`): with one, VLC takes the files for segments of one stream, and asks for the playlist again and again.
 */
export type M3uEntry = { address: string; durationMs: number; title: string; artist: string | null };

/** The type of HLS, application/vnd.apple.mpegurl, keeps VLC from reading a playlist that has no tag of HLS. */
export const m3uMimeType = "audio/x-mpegurl; charset=utf-8";

export const m3uOf = (entries: readonly M3uEntry[]): string =>
  ["#EXTM3U", ...entries.flatMap((entry) => [describe(entry), entry.address]), ""].join("\n");

/** VLC takes the text before " - " for the artist. */
const describe = ({ durationMs, title, artist }: M3uEntry) =>
  `#EXTINF:${(durationMs / 1_000).toFixed(3)},${oneLine([artist, title].filter(Boolean).join(" - "))}`;

/** Artists come from the tags of files, so from anybody. A line of its own would be an address. */
const oneLine = (text: string) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
