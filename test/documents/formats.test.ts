/**
 * Files of every format and encoding, from the upload to the text that is found; and damaged or hostile ones, which end
 * FAILED and say why, while the others go on.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { deflateRawSync, deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import {
  bomb,
  damaged,
  docx,
  docxOf,
  docxType,
  encoded,
  pdf,
  pdfOf,
  protectedPdf,
  randomFrom,
} from "../support/documents.ts";
import { filesOf } from "../support/files.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { rounds } from "../support/rounds.ts";
import { sharedData } from "../support/shared-data.ts";
import { upload } from "../support/upload.ts";

let lectern: Lectern;
let ada: Person;

beforeAll(async () => {
  lectern = await startLectern({ worker: true, settings: { WORKER_MEMORY_MB: "200" } });
  ada = await lectern.person("Ada");
});
afterAll(() => lectern.stop());

const Read = graphql(`
  query ReadFormat($id: ID!) {
    document(id: $id) {
      title mimeType sizeBytes sha256 status failure attempts text
      chunks(first: 100) { nodes { text startOffset endOffset } }
    }
  }
`);

const Search = graphql(`
  query SearchFormat($query: String!, $documentIds: [ID!]) {
    searchChunks(query: $query, documentIds: $documentIds) { totalCount }
  }
`);

type Document = NonNullable<Awaited<ReturnType<typeof read>>>;
async function read(id: string) {
  return (await ada.client.request(Read, { id })).document;
}

async function send(name: string, bytes: Uint8Array | string): Promise<string> {
  const { data, errors } = await upload(lectern, ada, new File([bytes as Uint8Array<ArrayBuffer>], name));
  expect(errors).toBeUndefined();
  return data?.createDocument.document.id as string;
}

/** The document when it has been processed. */
async function process(name: string, bytes: Uint8Array | string): Promise<Document> {
  const id = await send(name, bytes);
  await lectern.settled();
  const document = (await read(id)) as Document;
  for (const { text, startOffset, endOffset } of document.chunks.nodes) {
    expect(document.text?.slice(startOffset, endOffset)).toBe(text);
  }
  return document;
}

/** A character in windows-1252, for which Node has no right decoder to turn round. */
const toWindows1252 = (character: string) => {
  const place = "\u20ac\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ".indexOf(character);
  return place < 0 ? character.charCodeAt(0) : 0x80 + place;
};

const verse = "Trăm năm trong cõi người ta, chữ tài chữ mệnh khéo là ghét nhau.";

describe("a file", () => {
  it("in HTML is read without its markup, scripts and styles", async () => {
    const page = `<!-- a page --><!DOCTYPE html><html><head><title> Truyện &amp; Ki&#7873;u
      </title><style>p { color: red }</style></head><body><script>alert("no")</script>
      <h1>Một hồi</h1><p>${verse}</p><table><tr><td>một</td><td>hai</td></tr></table>
      <a href="http://127.0.0.1:1/x">một liên kết</a><img src="http://127.0.0.1:1/x.png" alt=""></body></html>`;
    const { chunks, sha256, sizeBytes, ...document } = await process("whatever.txt", page);
    expect(document).toEqual({
      title: "Truyện & Kiều",
      mimeType: "text/html",
      status: "COMPLETED",
      failure: null,
      attempts: 1,
      text: `Một hồi\n\n${verse}\n\nmột hai\n\nmột liên kết`,
    });
    expect([chunks.nodes.length, sizeBytes]).toEqual([1, Buffer.byteLength(page)]);
    expect(sha256).toBe(createHash("sha256").update(page).digest("hex"));
  });

  it("in PDF is read page by page", async () => {
    const document = await process(
      "A paper.txt",
      pdf(["First line\nsecond line", "On the second page (with brackets)"]),
    );
    expect(document).toMatchObject({
      title: "A paper",
      mimeType: "application/pdf",
      status: "COMPLETED",
      text: "First line\nsecond line\n\nOn the second page (with brackets)",
    });
  });

  it("in DOCX is read paragraph by paragraph", async () => {
    const document = await process("Thư ngỏ.docx", docx([verse, "A & B < C"]));
    expect(document).toMatchObject({
      title: "Thư ngỏ",
      mimeType: docxType,
      status: "COMPLETED",
      text: `${verse}\n\nA & B < C\n\n`,
    });
  });

  it("in Markdown is known by its name, also when it begins with a tag", async () => {
    const document = await process("README.md", '<p align="center">Logo</p>\n\n# A heading\n\nWords.');
    expect(document).toMatchObject({ title: "A heading", mimeType: "text/markdown", status: "COMPLETED" });
    const piece = await process("piece.txt", '<p align="center">Logo</p>\n\n# A heading\n\nWords of HTML.');
    expect(piece).toMatchObject({ mimeType: "text/html", text: expect.not.stringContaining("<p") });
  });

  it("is found by what it says", async () => {
    const id = await send("found.pdf", pdf(["A quokka is in this PDF only"]));
    await lectern.settled();
    const { searchChunks } = await ada.client.request(Search, { query: "quokka", documentIds: [id] });
    expect(searchChunks.totalCount).toBe(1);
  });
});

describe("the encoding", () => {
  // Of a Vietnamese letter, windows-1258 has the letter with its own mark, and the tone after it.
  const tonesApart = [...verse]
    .map((letter) => {
      const tone = /[\u0300\u0301\u0303\u0309\u0323]/.exec(letter.normalize("NFD"))?.[0] ?? "";
      return letter.normalize("NFD").replace(tone, "").normalize("NFC") + tone;
    })
    .join("");
  const french = "« Déjà vu », dit-elle, à l’été — voilà où ça mène : cœur, naïveté et œuvre.";
  const swap = (bytes: Buffer) => Buffer.from(bytes).swap16();
  const cases: [string, Uint8Array, string][] = [
    ["UTF-8 with a mark", Buffer.from(`\uFEFF${verse}`), verse],
    ["UTF-16LE", Buffer.from(`\uFEFF${verse}`, "utf16le"), verse],
    ["UTF-16BE", swap(Buffer.from(`\uFEFF${verse}`, "utf16le")), verse],
    ["windows-1258", encoded(tonesApart, "windows-1258"), verse],
    ["windows-1252", Uint8Array.from([...french].map(toWindows1252)), french],
    [
      "windows-1251",
      encoded("Привет, это обычный русский текст, который написали давно.", "windows-1251"),
      "Привет, это обычный русский текст, который написали давно.",
    ],
    [
      "Shift_JIS",
      Buffer.from("82b182ea82cd93fa967b8cea82cc8365834c8358836782c582b78142", "hex"),
      "これは日本語のテキストです。",
    ],
  ];

  it.each(cases)("%s is told, in text and in HTML", async (name, bytes, text) => {
    expect(await process(`${name}.txt`, bytes)).toMatchObject({ text, mimeType: "text/plain", status: "COMPLETED" });
    if (name.startsWith("UTF-16")) return;
    const page = Buffer.concat([
      bytes.subarray(0, name.includes("mark") ? 3 : 0),
      Buffer.from("<!doctype html><p>"),
      bytes.subarray(name.includes("mark") ? 3 : 0),
    ]);
    expect(await process(`${name}.html`, page)).toMatchObject({ text, mimeType: "text/html", status: "COMPLETED" });
  });

  it("is what an HTML page says, unless it is UTF-8 in truth", async () => {
    const page = (charset: string) => `<!doctype html><meta charset="${charset}"><title>Été</title><p>Été`;
    const latin = Buffer.from(page("iso-8859-1"), "latin1");
    expect(await process("latin.html", latin)).toMatchObject({ title: "Été", text: "Été" });
    expect(await process("lying.html", page("iso-8859-1"))).toMatchObject({ title: "Été", text: "Été" });
    const japanese = Buffer.concat([
      Buffer.from('<!doctype html><meta charset="shift_jis"><p>'),
      Buffer.from("93fa967b", "hex"),
    ]);
    expect(await process("japanese.html", japanese)).toMatchObject({ text: "日本" });
  });

  it("that cannot be told is refused", async () => {
    const random = randomFrom(7);
    const files = {
      "random.txt": Uint8Array.from({ length: 3_000 }, () => 256 * random()),
      "utf-16 without a mark.txt": Buffer.from(verse, "utf16le"),
      "a NUL far behind.txt": Buffer.concat([Buffer.alloc(70_000, "a"), Buffer.of(0), Buffer.from(verse)]),
      "damaged utf-8.txt": Buffer.concat([Buffer.from(verse), Buffer.of(0xff), Buffer.from(verse)]),
    };
    for (const [name, bytes] of Object.entries(files)) {
      const { errors } = await upload(lectern, ada, new File([bytes as Uint8Array<ArrayBuffer>], name));
      expect([name, errors?.[0]?.extensions.code]).toEqual([name, "UNSUPPORTED_MEDIA_TYPE"]);
    }
  });
});

describe("a file that nobody can read", () => {
  const hostile: Record<string, [Buffer | string, RegExp]> = {
    "cut.pdf": [pdf(["Cut."]).subarray(0, 400), /^The PDF is damaged: /],
    "protected.pdf": [protectedPdf(), /^The PDF is protected by a password\.$/],
    "scan.pdf": [pdfOf([deflateSync(Buffer.from("q Q"))]), /^The file contains no text\. Is it a scan\?$/],
    "no-pdf.pdf": ["%PDF-1.4\nThis is none.", /^The PDF is damaged: /],
    "cut.docx": [docx(["Cut."]).subarray(0, 700), /^The archive is damaged: its end is missing\.$/],
    "empty.docx": [docx([" "]), /^The file contains no text/],
    "no-xml.docx": [docxOf("<w:p><w:r>"), /^The Word document is damaged: /],
    "entity.docx": [
      docxOf(
        "<w:p><w:r><w:t>&secret;</w:t></w:r></w:p>",
        '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
      ),
      /^The Word document is damaged: (?!.*root:)/,
    ],
    "bomb.docx": [docxOf({ compressed: bomb(300, deflateRawSync) }), /^The archive is too large when inflated/],
    "deep.html": [
      `<!doctype html>${"<div>".repeat(100_000)}deep`,
      /^The elements of the page are nested too deeply\.$/,
    ],
    "empty.html": ["<!doctype html><title>Only a title</title><body><script>1</script>", /^The file contains no text/],
  };

  it("ends FAILED at once, with a reason for its owner, and holds up nobody", async () => {
    const ids: Record<string, string> = {};
    for (const [name, [bytes]] of Object.entries(hostile)) ids[name] = await send(name, bytes);
    const good = await send("good.html", "<!doctype html><p>Not to be held up.");
    await lectern.settled();
    for (const [name, [, reason]] of Object.entries(hostile)) {
      const document = await read(ids[name] as string);
      expect({ name, ...document }).toMatchObject({
        name,
        status: "FAILED",
        attempts: 1,
        failure: expect.stringMatching(reason),
      });
    }
    expect(await read(good)).toMatchObject({ status: "COMPLETED" });
  });

  it("is not read for ever, nor with all memory there is", { timeout: 60_000 }, async () => {
    const pages = pdf(["One page."], { count: 2_000_000_000 });
    expect(["COMPLETED", "FAILED"]).toContain((await process("endless.pdf", pages)).status);
    // Inflated, its only page has 600 MB.
    const id = await send("explosion.pdf", pdfOf([bomb(600, deflateSync)]));
    await expect
      .poll(
        async () =>
          (await lectern.database.query("select failure from documents where title = 'explosion'"))[0]?.failure,
        { timeout: 50_000 },
      )
      .toMatch(/more than 200 MB of memory|took longer than|The file contains no text/);
    await lectern.database.query("delete from documents where title = 'explosion'");
    expect(await process("after.html", "<!doctype html><p>After the bomb.")).toMatchObject({ status: "COMPLETED" });
    expect(await read(id)).toBeNull();
  });

  // One of a hundred damaged PDFs leaves one; it would end the thread, and whatever that works on by then.
  it("does not harm others by a promise that its library forgot", async () => {
    const thread = JSON.stringify(new URL("../../src/documents/worker/processing-thread.ts", import.meta.url));
    const worker = new Worker(
      `import(${thread}).then(() => {
        Promise.reject(new Error("Nobody awaits me."));
        setTimeout(() => require("node:worker_threads").parentPort.postMessage("alive"), 50);
      })`,
      { eval: true },
    );
    expect(await once(worker, "message")).toEqual(["alive"]);
    await worker.terminate();
  });

  const count = rounds(60, 2_000);
  it(`by chance ends one way or the other, ${count} times`, { timeout: 900_000 }, async () => {
    const seed = Number(globalThis.process.env.LECTERN_SEED ?? Date.now() % 2 ** 31);
    console.log(`damaged files: LECTERN_SEED=${seed}`);
    const random = randomFrom(seed);
    const originals = {
      "text.pdf": pdf(["A page\nwith lines", "And another one"]),
      "text.docx": docx([verse, "And more."]),
      "text.html": Buffer.from(`<!doctype html><title>T</title><p>${verse}</p><table><tr><td>x</table><ul><li>y`),
      "text.txt": Buffer.from(`\uFEFF${verse.repeat(20)}`, "utf16le"),
    };
    const tally: Record<string, number> = {};
    for (let round = 0; round < count; round++) {
      const [name, bytes] = Object.entries(originals)[round % 4] as [string, Buffer];
      const { data, errors } = await upload(
        lectern,
        ada,
        new File([damaged(bytes, random) as Buffer<ArrayBuffer>], name),
      );
      if (data) continue;
      const code = errors?.[0]?.extensions.code as string;
      expect(["UNSUPPORTED_MEDIA_TYPE", "BAD_USER_INPUT"]).toContain(code);
      tally[code] = (tally[code] ?? 0) + 1;
    }
    await lectern.settled(600_000);
    const rows = await lectern.database.query(
      "select status, attempts, failure, text is null as mute from documents where title in ('text', 'T')",
    );
    for (const { status, attempts, failure, mute } of rows) {
      tally[status as string] = (tally[status as string] ?? 0) + 1;
      expect({ status, attempts, failure, mute }).toEqual(
        status === "FAILED"
          ? { status: "FAILED", attempts: 1, failure: expect.stringMatching(/./), mute: true }
          : { status: "COMPLETED", attempts: 1, failure: null, mute: false },
      );
    }
    console.log("damaged files that ended", tally);
  });
});

describe.each(["truyen-kieu.txt", "gpl-3.txt"])("the real text %s", (name) => {
  const bytes = sharedData(`documents/${name}`);

  it.skipIf(!bytes)("is completed as it is", async () => {
    const { status, text, failure } = await process(name, bytes as Buffer);
    expect([status, failure, text]).toEqual(["COMPLETED", null, bytes?.toString("utf8").replace(/^\uFEFF/, "")]);
  });
});

describe("originals", () => {
  it("are kept for what must be read again, and read again", async () => {
    const before = await filesOf(lectern);
    const id = await send("again.html", "<!doctype html><p>To be read again.");
    await lectern.settled();
    const kept = (await filesOf(lectern)).filter((file) => !before.includes(file));
    expect(kept).toEqual([expect.stringMatching(/^kept\//)]);
    await lectern.database.query("update documents set text = 'Something else.' where title = 'again'");
    await ada.client.request(Reprocess, { id });
    await lectern.settled();
    expect(await read(id)).toMatchObject({ status: "COMPLETED", text: "To be read again." });
    // Files of documents that were deleted before may go meanwhile.
    expect((await filesOf(lectern)).filter((file) => !before.includes(file))).toEqual(kept);
  });

  it("are not kept of plain text", async () => {
    const before = await filesOf(lectern);
    await process("plain.txt", "Only its text is kept.");
    expect((await filesOf(lectern)).filter((file) => !before.includes(file))).toEqual([]);
  });
});

const Reprocess = graphql(`
  mutation ReprocessFormat($id: ID!) {
    reprocessDocument(input: { id: $id }) { document { id } }
  }
`);
