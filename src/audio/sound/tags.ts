/** Reads the tags and the cover of MP3 and M4A files with music-metadata. Their texts are input of the sender. */
import { fileTypeFromBuffer } from "file-type";
import { type INativeTagDict, type IPicture, type ITag, parseFromTokenizer, selectCover } from "music-metadata";
import { fromFile } from "strtok3";
import type { AudioFormat } from "./format.ts";

/** Each text has 1 to 500 characters, no control characters, and no white space at its ends; null if it is absent. */
export type Tags = { title: string | null; artist: string | null; album: string | null };
export type Cover = { bytes: Uint8Array; mimeType: CoverType };
export type CoverType = (typeof coverTypes)[number];

const coverTypes = ["image/jpeg", "image/png", "image/webp"] as const;
const maxCoverBytes = 5_000_000;
const maxTagCharacters = 500;

export const noTags: Tags = { title: null, artist: null, album: null };

/**
 * Reads the beginning and the end of a file, not its sound.
 *
 * @param mimeType chooses the parser
 * @throws the errors of music-metadata and of the file system
 */
export async function readTagsOf(path: string, mimeType: AudioFormat): Promise<Tags> {
  return (await parse(path, mimeType, { skipCovers: true })).tags;
}

/** Like `readTagsOf`, with the cover; null if there is none of a supported type and size. */
export async function readTagsAndCoverOf(
  path: string,
  mimeType: AudioFormat,
): Promise<{ tags: Tags; cover: Cover | null }> {
  const { tags, pictures } = await parse(path, mimeType, { skipCovers: false });
  return { tags, cover: await coverOf(selectCover(pictures)) };
}

async function parse(path: string, mimeType: AudioFormat, { skipCovers }: { skipCovers: boolean }) {
  const tokenizer = await fromFile(path);
  try {
    tokenizer.fileInfo.mimeType = mimeType;
    const { common, native } = await parseFromTokenizer(tokenizer, { skipCovers });
    const artist = wholeArtist(native) ?? common.artist;
    const tags: Tags = { title: clean(common.title), artist: clean(artist), album: clean(common.album) };
    return { tags, pictures: common.picture };
  } finally {
    await tokenizer.close();
  }
}

/** In ID3v2.3, music-metadata cuts artists at slashes and takes the first: "AC" of "AC/DC". */
function wholeArtist(native: INativeTagDict): string | undefined {
  // The type of the dictionary says less than its documentation.
  const tags = native["ID3v2.3"] as ITag[] | undefined;
  const parts = tags?.filter(({ id }) => id === "TPE1").map(({ value }) => String(value));
  return parts?.length ? parts.join("/") : undefined;
}

/** The type is that of the bytes, because browsers get the cover with it. */
async function coverOf(picture: IPicture | null): Promise<Cover | null> {
  if (picture === null || picture.data.length > maxCoverBytes) return null;
  const found = (await fileTypeFromBuffer(picture.data))?.mime;
  const mimeType = coverTypes.find((type) => type === found);
  return mimeType ? { bytes: picture.data, mimeType } : null;
}

/** Control characters, and those that change the direction or order of the text around them. */
const invisible = /[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;
/** Before the rest: a tag may have 50 MB. */
const readCharacters = 10 * maxTagCharacters;

export function clean(text: string | undefined): string | null {
  const visible = (text ?? "").slice(0, readCharacters).replace(invisible, " ").trim();
  const cut = Array.from(visible).slice(0, maxTagCharacters).join("").trimEnd();
  return cut === "" ? null : cut;
}
