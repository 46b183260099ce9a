/** Splits a text into chunks. Runs on a thread (processing-thread.ts), because a long text takes seconds. */
import { RecursiveCharacterTextSplitter } from "@langchain/textsplitters";
import { Tiktoken } from "js-tiktoken/lite";
import encoding from "js-tiktoken/ranks/o200k_base";

export type ChunkDraft = { text: string; startOffset: number; endOffset: number; tokenCount: number };

/** Maximum characters of a chunk: about a paragraph, short enough to display whole. */
const chunkSize = 1_000;

const splitter = new RecursiveCharacterTextSplitter({
  chunkSize,
  chunkOverlap: 0,
  keepSeparator: true,
  separators: ["\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ", ""],
});
const tokens = new Tiktoken(encoding);

/** Number of pieces between progress reports: less than a second's work. */
const reportEvery = 200;

/**
 * Yields chunks in order. They cover the text except white space between them; the offsets are those of `slice`.
 *
 * @param report takes the progress from 0 to 1
 */
export async function* chunk(text: string, report: (progress: number) => void): AsyncGenerator<ChunkDraft> {
  const pieces = await splitter.splitText(text);
  let from = 0;
  for (const [index, piece] of pieces.entries()) {
    if (index % reportEvery === reportEvery - 1) report(index / pieces.length);
    // Pieces are trimmed and in order, so the first occurrence after the previous piece is the right one. A piece that
    // begins with a low surrogate begins before `from`, because the previous chunk was extended by it.
    const found = text.indexOf(piece, isSecondHalf(piece) ? from - 1 : from);
    if (found < 0) throw new Error("The splitter changed the text.");
    const start = Math.max(from, found);
    const end = isInsideCharacter(text, found + piece.length) ? found + piece.length + 1 : found + piece.length;
    from = end;
    const slice = text.slice(start, end);
    // The piece is the second half of a character, which the previous chunk has.
    if (slice === "") continue;
    // No special tokens: text that looks like a model's control token is ordinary text.
    const tokenCount = tokens.encode(slice, [], []).length;
    yield { text: slice, startOffset: start, endOffset: end, tokenCount };
  }
}

const isSecondHalf = (piece: string) => /^[\uDC00-\uDFFF]/.test(piece);

/** True between the code units of a surrogate pair. The splitter cuts there if it finds no separator. */
function isInsideCharacter(text: string, offset: number): boolean {
  return (text.codePointAt(offset - 1) ?? 0) > 0xffff;
}
