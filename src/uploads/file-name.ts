/** Names that clients give to their files. They are only shown, never part of a path. */

const maxCharacters = 255;
/** Control characters, marks that change the direction of text, and halves of characters. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The last part of a path in either notation, without invisible characters. Keeps the ending of a long name. */
export function displayName(given: string): string {
  // Only the end of a hostile name of megabytes is looked at.
  const end = given.slice(-4 * maxCharacters);
  const name = end
    .slice(Math.max(end.lastIndexOf("/"), end.lastIndexOf("\\")) + 1)
    .replace(invisible, "")
    .trim();
  return name === "." || name === ".." ? "" : [...name].slice(-maxCharacters).join("");
}
