/**
 * Titles of documents: found in a text or a page, and made fit to be shown in one line. The text comes from outside, so
 * each function walks it once, from left to right; expressions that backtrack took 0.6 s for 10,000 spaces.
 */

/** Characters of a title that was found, not given. */
const longestTitle = 200;

/** Characters at the start of a text among which a title is looked for. */
export const titleCharacters = 10_000;

const lineBreak = /[\n\r\u2028\u2029]/;
const headingMark = /^#{1,6}[ \t]+(?=\S)/;

/** The text of the first Markdown heading, which plain texts have as well. */
export function firstHeading(text: string): string | undefined {
  for (const line of text.split(lineBreak)) {
    const mark = headingMark.exec(line)?.[0];
    if (mark !== undefined) return withoutClosingMarks(line, mark.length);
  }
  return undefined;
}

/** `A title ##` is called `A title`; of a heading made of nothing but marks one is left. */
function withoutClosingMarks(line: string, start: number): string {
  let end = line.length;
  while (end > start + 1 && line[end - 1] === "#") end--;
  while (end > start + 1 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  return line.slice(start, end);
}

const titleStart = /^<title[\s>]/i;
const titleEnd = /^<\/title/i;
/** Of both of them. */
const tagCharacters = 7;

/** The HTML between the first `<title>` and its end, if nothing but text stands there. */
export function titleElement(page: string): string | undefined {
  let tag = page.indexOf("<");
  while (tag >= 0) {
    if (!titleStart.test(page.slice(tag, tag + tagCharacters))) {
      tag = page.indexOf("<", tag + 1);
      continue;
    }
    const start = page.indexOf(">", tag) + 1;
    if (start === 0) return undefined;
    const end = page.indexOf("<", start);
    if (end >= 0 && titleEnd.test(page.slice(end, end + tagCharacters))) return page.slice(start, end);
    // Every tag between `tag` and `start` ends at the same `>`: trying it would make this quadratic.
    tag = end;
  }
  return undefined;
}

/** Characters that a title shows as a space, if at all. */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\s]/u;

/** One line without invisible characters, cut where it is too long. Reads no further than it must. */
export function cleanTitle(title: string): string {
  const characters: string[] = [];
  let isApart = false;
  for (const character of title.toWellFormed()) {
    if (invisible.test(character)) {
      isApart = characters.length > 0;
      continue;
    }
    if (isApart) characters.push(" ");
    isApart = false;
    characters.push(character);
    if (characters.length > longestTitle) break;
  }
  const line = characters.join("");
  if (line === "") return "Untitled";
  return line.length <= longestTitle ? line : `${characters.slice(0, longestTitle - 1).join("")}…`;
}
