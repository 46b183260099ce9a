import { describe, expect, it } from "vitest";
import { type FileReading, readFile } from "../../../src/documents/reading/read-file.ts";
import { docx, docxType, encoded, pdf } from "../../support/documents.ts";

async function readingOf(name: string, content: string | Uint8Array, isWhole = true) {
  const reading = await readFile({ name, bytes: Buffer.from(content as string), isWhole });
  if (reading === null || "refusal" in reading) return reading;
  return { ...reading, text: reading.text && Buffer.from(reading.text).toString() };
}
const titleOf = async (name: string, content: string | Uint8Array) =>
  ((await readingOf(name, content)) as Extract<FileReading, { title: string }>).title;

describe("a file", () => {
  it("of text is read whole, as UTF-8", async () => {
    expect(await readingOf("emma.txt", "Emma\nby Jane Austen")).toEqual({
      mimeType: "text/plain",
      title: "emma",
      text: "Emma\nby Jane Austen",
    });
    const french = encoded("Voilà un texte français, très ordinaire.", "windows-1252");
    expect(await readingOf("voila.txt", french)).toMatchObject({ text: "Voilà un texte français, très ordinaire." });
    expect(await readingOf("emma.txt", "Emma", false)).toBeNull();
  });

  it("of Markdown is known by its name", async () => {
    for (const name of ["emma.md", "emma.MARKDOWN"]) {
      expect(await readingOf(name, "# Emma #\nby Jane Austen")).toMatchObject({
        mimeType: "text/markdown",
        title: "Emma",
      });
    }
    expect(await readingOf("emma.mdx", "# Emma")).toMatchObject({ mimeType: "text/plain" });
    expect(await readingOf("x.md.txt", "# Emma")).toMatchObject({ mimeType: "text/plain" });
    expect(await readingOf("emma.md", "<p>Emma")).toMatchObject({ mimeType: "text/markdown" });
    expect(await readingOf("emma.md", "<html>Emma")).toMatchObject({ mimeType: "text/html" });
  });

  it("of another format is known by its bytes, and its text is left to a worker", async () => {
    const left = (mimeType: string, title: string) => ({ mimeType, title, text: null });
    expect(await readingOf("emma.txt", pdf(["Emma"]))).toEqual(left("application/pdf", "emma"));
    expect(await readingOf("emma.txt", docx(["Emma"]), false)).toEqual(left(docxType, "emma"));
    expect(await readingOf("emma.txt", "<p>Emma", false)).toEqual(left("text/html", "emma"));
    const utf16 = Buffer.from("\ufeff<html>Emma", "utf16le");
    expect(await readingOf("emma.txt", utf16)).toEqual(left("text/html", "emma"));
    expect(await readingOf("emma.txt", utf16.swap16())).toEqual(left("text/html", "emma"));
  });

  it("has the title that a page or a heading gives it, or else its name", async () => {
    expect(await titleOf("a.html", "<html><title>Sense &amp;\n Sensibility</title>")).toBe("Sense & Sensibility");
    expect(await titleOf("emma.html", "<html><title> </title>")).toBe("emma");
    expect(await titleOf("emma.tar.html", "<html>")).toBe("emma.tar");
    expect(await titleOf("emma", "by Jane Austen")).toBe("emma");
    expect(await titleOf("a.txt", "by Jane Austen\n# Emma\n")).toBe("Emma");
    expect(await titleOf("a.txt", `${"ờ".repeat(9_990)}\n# Emma\n`)).toBe("Emma");
    expect(await titleOf("emma.txt", `${"x".repeat(10_000)}\n# Other\n`)).toBe("emma");
  });

  it("has the title of its page even if the part that is read ends inside a character", async () => {
    const page = Buffer.from(`<html><title>Emma</title>${"é".repeat(40_000)}`);
    const title = async (bytes: Buffer) => titleOf("a.html", bytes);
    expect(await title(page)).toBe("Emma");
    expect(await title(Buffer.concat([page.subarray(0, 25), Buffer.from("💡")]).subarray(0, 28))).toBe("Emma");
    // A page that cannot be read at all has the name of its file.
    expect(
      await title(Buffer.from("<html><meta charset=utf-8><title>Emma</title>\xe9t\xe9, \xe9t\xe9", "latin1")),
    ).toBe("a");
  });

  it("is refused if it is empty", async () => {
    const refusal = { code: "BAD_USER_INPUT", message: "The text is empty." };
    expect(await readingOf("a.txt", " \n")).toEqual({ refusal });
    expect(await readingOf("a.txt", " ".repeat(50_000))).toEqual({ refusal });
    expect(await readingOf("a.txt", `${" ".repeat(50_000)}x`)).toMatchObject({ title: "a" });
  });

  it("is refused if it is no document, and told what it is", async () => {
    const refused = (message: string) => ({ refusal: { code: "UNSUPPORTED_MEDIA_TYPE", message } });
    const supported = "Text, Markdown, HTML, PDF and DOCX are supported, not";
    expect(await readingOf("a.txt", Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"))).toEqual(
      refused(`${supported} image/png.`),
    );
    expect(await readingOf("a.txt", "{\\rtf1 Emma}")).toEqual(refused(`${supported} application/rtf.`));
    expect(await readingOf("a.txt", "%!PS-Adobe-3.0")).toEqual(refused(`${supported} application/postscript.`));
    expect(await readingOf("a.txt", "a\x01b")).toEqual(refused(`${supported} binary data.`));
    // Half of a byte order mark is none.
    for (const start of [0xff01, 0xfe01, 0x41fe, 0x41ff]) {
      const bytes = Buffer.from([start >> 8, start & 0xff, 0x01, 0x02]);
      expect(await readingOf("a.txt", bytes)).toEqual(refused(`${supported} binary data.`));
    }
    expect(await readingOf("a.doc", Buffer.from("d0cf11e0a1b11ae1", "hex"))).toEqual(
      refused("Old or protected Office files are not supported: save it as .docx, without a password."),
    );
    expect(await readingOf("a.txt", Buffer.concat([Buffer.from("Người Việt Nam"), Buffer.of(0xff)]))).toEqual(
      refused("The file cannot be read as text. It is UTF-8 text with invalid bytes."),
    );
  });

  it("of text may begin like another format", async () => {
    expect(await readingOf("a.txt", "BM is short for bitmap")).toMatchObject({ mimeType: "text/plain" });
    expect(await readingOf("a.txt", "MZ are two letters")).toMatchObject({ mimeType: "text/plain" });
  });
});
