/**
 * Finds titles in texts and pages, and reduces them to one line. The text may be hostile, so each function scans it
 * once; backtracking expressions took 0.6 s for 10,000 spaces.
 */

/** Maximum characters of a title that was found, not given. */
const longestTitle = 200;

/** Number of characters at the start of a text that are searched for a title. */
export const titleCharacters = 10_000;

const lineBreak = /[\n\r\u2028\u2029]/;
const headingMark = /^#{1,6}[ \t]+(?=\S)/;

/** The text of the first Markdown heading. Plain texts may have headings, too. */
export function firstHeading(text: string): string | undefined {
  for (const line of text.split(lineBreak)) {
    const mark = headingMark.exec(line)?.[0];
    if (mark !== undefined) return withoutClosingMarks(line, mark.length);
  }
  return undefined;
}

/** `A title ##` becomes `A title`. A heading of marks only becomes one mark. */
function withoutClosingMarks(line: string, start: number): string {
  let end = line.length;
  while (end > start + 1 && line[end - 1] === "#") end--;
  while (end > start + 1 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  return line.slice(start, end);
}

const titleStart = /^<title[\s>]/i;
const titleEnd = /^<\/title/i;
/** Length of either tag. */
const tagCharacters = 7;

/** The content of the first `<title>` that contains only text. */
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
    // Tags between `tag` and `start` end at the same `>`: trying them would take quadratic time.
    tag = end;
  }
  return undefined;
}

/** Characters that a title replaces by a space, or drops at its ends. */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\s]/u;

/** One line without invisible characters, truncated if necessary. Reads only the start of a long title. */
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
