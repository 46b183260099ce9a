/**
 * Tells by its first characters whether a text is HTML. The text comes from outside, so each function walks it once, from
 * left to right: a single regular expression for the same question took twice as long for each further `<!---->`.
 */

/** One of the tags that begin a whole page. */
const pageTag = /<(?:!doctype\s+html|html|head|title|meta|body|style|script)[\s/>]/iy;
/** A tag that may also stand in Markdown, or a comment. */
const pieceTag =
  /<(?:!--|(?:h[1-6]|div|p|a|b|br|table|ul|ol|font|iframe|article|section|main|header|nav|img|span)[\s/>])/iy;
/** White space, or the declaration of an XHTML page. */
const blank = /\s+|<\?xml[^>]*>/iy;
const commentStart = "<!--";
const commentEnd = "-->";

/** True for a whole HTML page, which white space, comments and `<?xml …?>` may precede. */
export function beginsPage(text: string): boolean {
  let at = afterBlanks(text, 0);
  if (standsAt(pageTag, text, at)) return true;
  if (!text.startsWith(commentStart, at)) return false;
  // A comment may contain `-->`, so the page may begin after any of them.
  let end = text.indexOf(commentEnd, at + commentStart.length);
  while (end >= 0) {
    at = afterBlanks(text, end + commentEnd.length);
    if (standsAt(pageTag, text, at)) return true;
    // Each end that `afterBlanks` passed over leads to `at` again: trying it would make this quadratic.
    end = text.indexOf(commentEnd, at - commentEnd.length + 1);
  }
  return false;
}

/** True for a piece of HTML. Markdown may begin in the same way. */
export function beginsPiece(text: string): boolean {
  return standsAt(pieceTag, text, text.length - text.trimStart().length);
}

/** Whether the sticky expression matches exactly there. Its `lastIndex` is then the end of the match. */
export function standsAt(expression: RegExp, text: string, at: number): boolean {
  expression.lastIndex = at;
  return expression.test(text);
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (standsAt(blank, text, at)) at = blank.lastIndex;
  return at;
}
