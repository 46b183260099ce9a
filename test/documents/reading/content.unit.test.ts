import { describe, expect, it } from "vitest";
import { contentOfFile, contentOfText } from "../../../src/documents/reading/content.ts";
import type { FileReading } from "../../../src/documents/reading/read-file.ts";
import { ApplicationError } from "../../../src/errors.ts";
import { StagedFile } from "../../../src/storage/file-store.ts";
import { refusalOf } from "../../support/refusals.ts";

const path = ["input", "source", "text"];
const sha256OfEmma = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4";

describe("the content of a text", () => {
  const contentOf = (text: string, maxBytes = 100) => refusalOf(() => contentOfText(text, maxBytes, path));

  it("is the text itself, with its size, hash and title", () => {
    expect(contentOf("hi")).toEqual({
      accepted: {
        mimeType: "text/plain",
        text: Buffer.from("hi"),
        storageKey: null,
        sizeBytes: 2n,
        sha256: sha256OfEmma,
        title: "hi",
      },
    });
  });

  it("is titled by its first heading, or else by its first line", () => {
    const titleOf = (text: string) => contentOfText(text, 100_000, path).title;
    expect(titleOf("By Jane Austen\n\n# Emma")).toBe("Emma");
    expect(titleOf("\n \n  Emma \nby Jane Austen")).toBe("Emma");
    expect(titleOf(`${"x\n".repeat(4_998)}# Emma\n`)).toBe("Em");
    expect(titleOf(`Emma\n${"x\n".repeat(5_000)}# Other`)).toBe("Emma");
  });

  it("is measured in bytes of UTF-8", () => {
    expect(contentOfText("Người", 100, path).sizeBytes).toBe(8n);
    expect(contentOf("Người", 8)).toHaveProperty("accepted");
    expect(contentOf("Người", 7)).toEqual({
      code: "PAYLOAD_TOO_LARGE",
      message: "A document has at most 7 bytes, not 8.",
      inputPath: path,
    });
  });

  it("is refused if the database cannot hold it, or if it is empty", () => {
    const refused = (message: string) => ({ code: "BAD_USER_INPUT", message, inputPath: path });
    expect(contentOf("a\ud800")).toEqual(refused("The text is not valid Unicode: it contains a lone surrogate."));
    expect(contentOf("a\0")).toEqual(refused("The text contains NUL characters."));
    for (const text of ["", " \n\t"]) expect(contentOf(text)).toEqual(refused("The text is empty."));
  });
});

describe("the content of a file", () => {
  const fileOf = (sizeBytes: number) =>
    new StagedFile({ id: "1", name: "emma.txt", sizeBytes, sha256: "f00", head: new Uint8Array() });

  async function contentOf(reading: FileReading, sizeBytes = 10) {
    const kept: StagedFile[] = [];
    const keep = async (file: StagedFile) => {
      kept.push(file);
      return "key-1";
    };
    const parts = { reader: { read: async () => reading }, files: { keep }, maxBytes: 10, hold: () => {} };
    const content = await contentOfFile(fileOf(sizeBytes), parts, path).catch((error) =>
      refusalOf(() => {
        throw error;
      }),
    );
    return { content, kept: kept.length };
  }

  it("is its text, of which no file is kept", async () => {
    const text = new TextEncoder().encode("xEmma").subarray(1);
    expect(await contentOf({ mimeType: "text/plain", title: "Emma", text })).toEqual({
      content: {
        mimeType: "text/plain",
        title: "Emma",
        sizeBytes: 10n,
        sha256: "f00",
        text: Buffer.from("Emma"),
        storageKey: null,
      },
      kept: 0,
    });
  });

  it("is a file that is kept if its text is yet to be extracted", async () => {
    expect(await contentOf({ mimeType: "application/pdf", title: "Emma", text: null })).toEqual({
      content: {
        mimeType: "application/pdf",
        title: "Emma",
        sizeBytes: 10n,
        sha256: "f00",
        text: null,
        storageKey: "key-1",
      },
      kept: 1,
    });
  });

  it("is refused if it is too large, empty or no document, and nothing is kept", async () => {
    const reading: FileReading = { mimeType: "application/pdf", title: "Emma", text: null };
    expect(await contentOf(reading, 11)).toEqual({
      content: { code: "PAYLOAD_TOO_LARGE", message: "A file has at most 10 bytes, not 11.", inputPath: path },
      kept: 0,
    });
    expect(await contentOf(reading, 0)).toEqual({
      content: { code: "BAD_USER_INPUT", message: "The file is empty.", inputPath: path },
      kept: 0,
    });
    expect(await contentOf({ refusal: { code: "UNSUPPORTED_MEDIA_TYPE", message: "Not a document." } })).toEqual({
      content: { code: "UNSUPPORTED_MEDIA_TYPE", message: "Not a document.", inputPath: path },
      kept: 0,
    });
    expect(ApplicationError).toBeDefined();
  });
});
