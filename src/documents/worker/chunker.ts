/** Cuts a text into chunks. Runs on a thread of its own (document.thread.ts), since a long text takes a while. */
import { RecursiveCharacterTextSplitter } from "@langchain/textsplitters";
import { Tiktoken } from "js-tiktoken/lite";
import encoding from "js-tiktoken/ranks/o200k_base";

export type ChunkDraft = { text: string; startOffset: number; endOffset: number; tokenCount: number };

/** Characters of a chunk at most: about a paragraph, and small enough to show whole. */
const chunkSize = 1_000;

const splitter = new RecursiveCharacterTextSplitter({
  chunkSize,
  chunkOverlap: 0,
  keepSeparator: true,
  separators: ["\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ", ""],
});
const tokens = new Tiktoken(encoding);

/** Pieces after which progress is reported: well under a second's work. */
const reportEvery = 200;

/**
 * Chunks in order. They cover the text but for white space between them, and `slice` finds each again.
 *
 * @param report takes how far the work is, from 0 to 1
 */
export async function* chunk(text: string, report: (progress: number) => void): AsyncGenerator<ChunkDraft> {
  const pieces = await splitter.splitText(text);
  let from = 0;
  for (const [index, piece] of pieces.entries()) {
    if (index % reportEvery === reportEvery - 1) report(index / pieces.length);
    // Pieces come in order and trimmed, so the next place where one stands is its own. One that begins with the second
    // half of a character begins before `from`, which the piece before it was lengthened to.
    const found = text.indexOf(piece, isSecondHalf(piece) ? from - 1 : from);
    if (found < 0) throw new Error("The splitter changed the text.");
    const start = Math.max(from, found);
    const end = isInsideCharacter(text, found + piece.length) ? found + piece.length + 1 : found + piece.length;
    from = end;
    const slice = text.slice(start, end);
    if (slice.trim() === "") continue;
    // Text that looks like a control token of a model is text all the same.
    const tokenCount = tokens.encode(slice, [], []).length;
    yield { text: slice, startOffset: start, endOffset: end, tokenCount };
  }
}

const isSecondHalf = (piece: string) => /^[\uDC00-\uDFFF]/.test(piece);

/** True between the two code units of one character, where the splitter cuts when nothing else helps. */
function isInsideCharacter(text: string, offset: number): boolean {
  return offset < text.length && (text.codePointAt(offset - 1) ?? 0) > 0xffff;
}
