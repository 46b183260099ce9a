import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChunkDraft, chunk } from "../../../src/documents/worker/chunker.ts";

async function chunksOf(text: string): Promise<{ chunks: ChunkDraft[]; reports: number[] }> {
  const reports: number[] = [];
  return { chunks: await Array.fromAsync(chunk(text, (progress) => reports.push(progress))), reports };
}
const placesOf = ({ chunks }: { chunks: ChunkDraft[] }) =>
  chunks.map(({ startOffset, endOffset }) => [startOffset, endOffset]);

describe("the chunks of a text", () => {
  it("are the whole text if it is short, without the white space around it", async () => {
    const { chunks, reports } = await chunksOf("  Call me Ishmael.\n");
    expect(chunks).toEqual([{ text: "Call me Ishmael.", startOffset: 2, endOffset: 18, tokenCount: 5 }]);
    expect(reports).toEqual([]);
  });

  it("are none if there is nothing but white space", async () => {
    expect((await chunksOf(" \n\n ".repeat(1_000))).chunks).toEqual([]);
    expect((await chunksOf("")).chunks).toEqual([]);
  });

  it("end where a paragraph, a line or a sentence ends, if one does", async () => {
    const line = `${"a few words ".repeat(49)}in a line.`;
    expect(placesOf(await chunksOf(`${line}\n\n${line}`))).toEqual([
      [0, 598],
      [600, 1_198],
    ]);
    expect(placesOf(await chunksOf(`${line}\n${line}`))).toEqual([
      [0, 598],
      [599, 1_197],
    ]);
    // The separator stays with the sentence after it.
    expect(placesOf(await chunksOf(`${line}. ${line}`))).toEqual([
      [0, 598],
      [598, 1_198],
    ]);
    // Without an end near, at the last space.
    const clause = line.slice(0, -1);
    expect(placesOf(await chunksOf(`${clause} ${clause}`))).toEqual([
      [0, 999],
      [1_000, 1_195],
    ]);
  });

  it("never end inside a character", async () => {
    const { chunks } = await chunksOf(`x${"💡".repeat(700)}`);
    expect(placesOf({ chunks })).toEqual([
      [0, 1_001],
      [1_001, 1_401],
    ]);
    expect(chunks.map(({ text }) => text).join("")).toBe(`x${"💡".repeat(700)}`);
  });

  it("may end after the last character of the first plane, which is a whole one", async () => {
    const word = "abcdefghij".repeat(100).slice(1);
    expect(placesOf(await chunksOf(`${word}\uffff${word}`))).toEqual([
      [0, 1_000],
      [1_000, 1_999],
    ]);
  });

  it("have no chunk for the second half of a character, if nothing follows it", async () => {
    const word = "abcdefghij".repeat(100).slice(1);
    expect(placesOf(await chunksOf(`${word}💡`))).toEqual([[0, 1_001]]);
    expect(placesOf(await chunksOf(`${word}💡${word}`))).toEqual([
      [0, 1_001],
      [1_001, 2_000],
    ]);
    expect(placesOf(await chunksOf(`${word}a💡`))).toEqual([
      [0, 1_000],
      [1_000, 1_002],
    ]);
  });

  it("cover every text but for white space between them, in order", async () => {
    const word = fc.constantFrom("word", "Người ", "💡", ". ", " ", "\n", "\n\n", ", ");
    const text = fc
      .array(fc.tuple(word, fc.integer({ min: 1, max: 200 })), { maxLength: 6 })
      .map((parts) => parts.map(([unit, count]) => unit.repeat(count)).join(""));
    await fc.assert(
      fc.asyncProperty(text, async (text) => {
        let end = 0;
        for (const { text: slice, startOffset, endOffset } of (await chunksOf(text)).chunks) {
          expect(text.slice(end, startOffset).trim()).toBe("");
          expect(slice).toBe(text.slice(startOffset, endOffset));
          expect(slice.isWellFormed()).toBe(true);
          expect(slice.length).toBeLessThanOrEqual(1_001);
          end = endOffset;
        }
        expect(text.slice(end).trim()).toBe("");
      }),
      { numRuns: 20 },
    );
  });

  it("count what looks like a token of a model as ordinary text", async () => {
    const { chunks } = await chunksOf("<|endoftext|>");
    expect(chunks.map(({ tokenCount }) => tokenCount)).toEqual([7]);
  });

  it("report the progress after every 200th", async () => {
    const paragraphs = Array.from({ length: 500 }, (_, number) => `${number} ${"a few words ".repeat(70)}`).join(
      "\n\n",
    );
    const { chunks, reports } = await chunksOf(paragraphs);
    expect(chunks.length).toBe(500);
    expect(reports).toEqual([199 / 500, 399 / 500]);
  });
});
