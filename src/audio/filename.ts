/** Names of audio files, for downloads and players. Paths in the store are never made from them. */
import type { AudioFormat } from "./sound/format.ts";

const endings: Record<AudioFormat, string> = { "audio/mpeg": ".mp3", "audio/mp4": ".m4a" };
const maxStemCharacters = 180;
/** Reserved on common file systems. */
const unwanted = /[/\\:*?"<>|]/g;

/**
 * The name with the ending of the format: `Song.m4a`.
 *
 * @param sentName as `StagedFile.name` has it: without folders and invisible characters
 */
export function audioFilename(sentName: string, format: AudioFormat): string {
  return `${stemOf(sentName)}${endings[format]}`;
}

/** A title for a file without tags: its name without the ending. */
export const titleOfName = (sentName: string): string => stemOf(sentName);

function stemOf(sentName: string): string {
  const words = sentName
    .replace(/\.[a-z0-9]{1,5}$/i, "")
    .replace(unwanted, " ")
    .split(/\s/)
    .filter((word) => word !== "");
  const characters = [...words.join(" ")];
  // Leading dots would hide the file, and trailing ones are lost on some systems.
  while (isAtEdge(characters[0])) characters.shift();
  characters.length = Math.min(characters.length, maxStemCharacters);
  while (isAtEdge(characters.at(-1))) characters.pop();
  return characters.join("") || "audio";
}

const isAtEdge = (character: string | undefined) => character === "." || character === " ";
