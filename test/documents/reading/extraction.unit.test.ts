import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { extractText, UnreadableDocumentError } from "../../../src/documents/reading/extraction.ts";
import { bomb, docx, docxOf, docxType, pdf, protectedPdf } from "../../support/documents.ts";

const limits = { maxCharacters: 1_000, maxInflatedBytes: 100_000, maxPages: 3 };
const html = "text/html";
const pdfType = "application/pdf";

const textOf = (bytes: Buffer | string, mimeType: string) =>
  extractText(Buffer.from(bytes as string), mimeType, limits);
async function failureOf(bytes: Buffer | string, mimeType: string): Promise<string> {
  try {
    return `text: ${await textOf(bytes, mimeType)}`;
  } catch (error) {
    expect(error).toBeInstanceOf(UnreadableDocumentError);
    expect((error as Error).name).toBe("UnreadableDocumentError");
    return (error as Error).message;
  }
}

describe("the text of a page", () => {
  it("is what a reader sees, as it is written", async () => {
    const page = `<html><head><title>Not this</title></head><body><h1>Emma</h1>
      <p>by <a href="https://example.org">Jane Austen</a><img src="a.png" alt="a portrait"></p>
      <template>Not this</template></body></html>`;
    expect(await textOf(page, html)).toBe("Emma\n\nby Jane Austen");
    expect(await textOf("<title>Not this</title><h6>Emma</h6>", html)).toBe("Emma");
  });

  it("has one paragraph for each row of a table, and its lines are not broken", async () => {
    const row = (kind: string, ...cells: string[]) =>
      `<tr>${cells.map((cell) => `<${kind}>${cell}</${kind}>`).join("")}</tr>`;
    const table = `<table>${row("th", "Title", "Year")}${row("td", "Emma", "1815")}</table>`;
    expect(await textOf(table, html)).toBe("Title Year\n\nEmma 1815");
    const long = "word ".repeat(100).trim();
    expect(await textOf(`<p>${long}</p>`, html)).toBe(long);
  });

  it("has no characters that the database refuses", async () => {
    expect(await textOf("<p>a&#0;b&#xD800;</p>", html)).toMatch(/^a\ufffd?b\ufffd$/);
  });

  it("cannot be read in an unknown encoding, or nested too deeply", async () => {
    const unreadable = Buffer.from("<meta charset=utf-8><p>\xe9t\xe9", "latin1");
    expect(await failureOf(unreadable, html)).toBe(
      "The page cannot be read as text. It declares the encoding UTF-8, but is not valid UTF-8.",
    );
    expect(await failureOf("<div>".repeat(20_000), html)).toBe("The elements of the page are nested too deeply.");
  });
});

describe("the text of a PDF", () => {
  it("has its lines, and its pages as paragraphs", async () => {
    expect(await textOf(pdf([" \n Emma \n ", "Chapter 1"]), pdfType)).toBe("Emma\n\nChapter 1");
    expect(await textOf(pdf(["Emma\nby Jane Austen", "", "Chapter 1"]), pdfType)).toBe(
      "Emma\nby Jane Austen\n\nChapter 1",
    );
  });

  it("cannot be read if there are too many pages, a password, or damage", async () => {
    expect(await failureOf(pdf(["a", "b", "c", "d"]), pdfType)).toBe("The PDF declares 4 pages; the maximum is 3.");
    expect(await textOf(pdf(["a", "b", "c"]), pdfType)).toBe("a\n\nb\n\nc");
    expect(await failureOf(protectedPdf(), pdfType)).toBe("The PDF is protected by a password.");
    expect(await failureOf("%PDF-1.4\n", pdfType)).toBe("The PDF is damaged: Invalid PDF structure.");
  });
});

describe("the text of a Word document", () => {
  it("has its paragraphs", async () => {
    expect(await textOf(docx(["Emma", "by Jane Austen & others"]), docxType)).toBe(
      "Emma\n\nby Jane Austen & others\n\n",
    );
  });

  it("cannot be read if the archive is damaged, holds something else, or becomes too large", async () => {
    expect(await failureOf("PK", docxType)).toBe("The archive is damaged: its end is missing.");
    expect(await failureOf(docxOf("<w:p>"), docxType)).toMatch(/^The Word document is damaged: .+$/);
    expect(await failureOf(docxOf({ compressed: bomb(1, deflateRawSync) }), docxType)).toBe(
      "The archive is too large when inflated; it may be malicious.",
    );
  });
});

describe("a document that cannot be read", () => {
  it("has the reason for the log, beside the message for its owner", async () => {
    const causeOf = (bytes: Buffer | string, mimeType: string) =>
      textOf(bytes, mimeType).then(
        () => "none",
        ({ cause }) => (cause as Error | undefined)?.name,
      );
    expect(await causeOf(Buffer.from("<meta charset=utf-8><p>\xe9t\xe9", "latin1"), html)).toBe("UnreadableTextError");
    expect(await causeOf("<div>".repeat(20_000), html)).toBe("RangeError");
    expect(await causeOf("%PDF-1.4\n", pdfType)).toBe("InvalidPDFException");
    expect(await causeOf("PK", docxType)).toBe("BadArchiveError");
    expect(await causeOf(docxOf("<w:p>"), docxType)).toBe("Error");
  });
});

describe("the text of any document", () => {
  it("is not empty", async () => {
    const empty = "The file contains no text. Is it a scan?";
    expect(await failureOf("<p> </p>", html)).toBe(empty);
    expect(await failureOf(pdf([""]), pdfType)).toBe(empty);
    expect(await failureOf(docx([" "]), docxType)).toBe(empty);
  });

  it("is limited in its length", async () => {
    const halfTooLong = `${"x".repeat(49)}\n`.repeat(12);
    const tooLong = "The text of the file has more than 1000 characters.";
    expect(await textOf("x".repeat(1_000), html)).toBe("x".repeat(1_000));
    expect(await failureOf("x".repeat(1_001), html)).toBe(tooLong);
    expect(await failureOf(docx(["x".repeat(1_001)]), docxType)).toBe(tooLong);
    expect(await failureOf(pdf([halfTooLong, halfTooLong]), pdfType)).toBe(tooLong);
  });

  it("is not extracted from formats that are text already, or unknown", async () => {
    expect(await failureOf("Emma", "text/plain")).toBe("A document of type text/plain cannot be read.");
  });
});
