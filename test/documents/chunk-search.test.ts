/** Hits of the search in chunks: snippets that are safe to show as HTML, and one result however the query is composed. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { processAgain } from "../support/random-library.ts";

let lectern: Lectern;
let ada: Person;

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  ada = await lectern.person("Ada");
});
afterAll(() => lectern.stop());

type Hits = { totalCount: number; nodes: { score: number; snippet: string; chunk: { text: string } }[] };

async function search(query: string): Promise<Hits> {
  const hits = `query ($query: String!) {
    searchChunks(query: $query) { totalCount nodes { score snippet chunk { text } } }
  }`;
  return (await ada.client.request<{ searchChunks: Hits }>(hits, { query })).searchChunks;
}

/** A document of chunks with these texts. */
async function addChunks(...texts: string[]): Promise<void> {
  const { id } = await ada.document();
  await processAgain(lectern.database, uuidOf(id), texts);
}

const snippetsFor = async (query: string) => (await search(query)).nodes.map(({ snippet }) => snippet);

describe("a snippet", () => {
  it("shows markup of the text as text, and marks the words alone", async () => {
    await addChunks(`A quagga < script>alert("1 & 2 'quagga'")</ script>`);
    expect(await snippetsFor("quagga")).toEqual([
      "A <mark>quagga</mark> &lt; script&gt;alert(&quot;1 &amp; 2 &#39;<mark>quagga</mark>&#39;&quot;)&lt;/ script",
    ]);
  });

  it.each([
    ["<script>alert(1)</script>", "tapir"],
    ["<img src=x onerror=alert(1)", "okapi"],
    ["<svg/onload=alert(1)>", "dugong"],
    ["<!--<b>--><a href='javascript:alert(1)'>x</a>", "manatee"],
    ['" onmouseover="alert(1)', "wombat"],
  ])("has no element of the text's: %s beside a hit", async (markup, word) => {
    await addChunks(`${markup} ${word} ${markup}`);
    const [snippet] = await snippetsFor(word);
    expect(snippet).toContain(`<mark>${word}</mark>`);
    expect(snippet?.replaceAll(/<\/?mark>/g, "")).not.toMatch(/[<>"']/);
  });

  it("does not take characters of the text for the beginning and the end of a word", async () => {
    await addChunks("An aardvark and \u{E000} another \u{E001} animal.");
    expect(await snippetsFor("aardvark")).toEqual(["An <mark>aardvark</mark> and  another  animal"]);
  });

  it("marks a word of a text that is decomposed", async () => {
    await addChunks("Một người ở đây.".normalize("NFD"));
    const marked = [expect.stringContaining("<mark>người</mark>".normalize("NFC"))];
    expect(await snippetsFor("người".normalize("NFC"))).toEqual(marked);
    expect(await snippetsFor("người".normalize("NFD"))).toEqual(marked);
  });
});

describe("a query", () => {
  it("finds the same, with the same scores and in the same order, composed and decomposed", async () => {
    await addChunks("Đường xưa lối cũ", "Duong xua loi cu", "Đường xưa".normalize("NFD"), "DUONG XUA", "ĐƯỜNG XƯA");
    for (const query of ["đường xưa", "duong xua", "Đường", '"đường xưa"', "đường -lối"]) {
      const composed = await search(query.normalize("NFC"));
      expect(composed.nodes.length).toBeGreaterThan(1);
      expect(await search(query.normalize("NFD"))).toEqual(composed);
    }
  });

  it("ranks texts with its accents above others, composed or not, in either case", async () => {
    await addChunks("Sông Hồng", "Song hong", "Sông Hồng".normalize("NFD"), "SÔNG HỒNG");
    for (const query of ["sông hồng", "SÔNG HỒNG", "sông hồng".normalize("NFD"), "SÔNG HỒNG".normalize("NFD")]) {
      const { nodes } = await search(query);
      expect(nodes.map(({ chunk }) => chunk.text.normalize("NFC"))).toEqual([
        expect.stringMatching(/^sông hồng$/i),
        expect.stringMatching(/^sông hồng$/i),
        expect.stringMatching(/^sông hồng$/i),
        "Song hong",
      ]);
      expect(nodes.map(({ score }) => score > 1)).toEqual([true, true, true, false]);
    }
  });
});
