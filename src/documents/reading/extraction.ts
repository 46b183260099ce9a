/**
 * Extracts the text of an original, which may be damaged or hostile. So this runs on a thread with limits
 * (processing-thread.ts), has no access to files or the network, and limits its output.
 */
import { compile } from "html-to-text";
import mammoth from "mammoth";
import { getDocumentProxy } from "unpdf";
import { decodeText, UnreadableTextError } from "./encoding.ts";
import { formats } from "./format.ts";
import { BadArchiveError, openArchive } from "./zip.ts";

/** The original cannot be read, and retries are pointless. The message is for its owner. */
export class UnreadableDocumentError extends Error {
  override name = "UnreadableDocumentError";
}

export type ExtractionLimits = {
  maxCharacters: number;
  /** Total size of the inflated parts of an archive. */
  maxInflatedBytes: number;
  maxPages: number;
};

/** @throws UnreadableDocumentError */
export async function extractText(bytes: Buffer, mimeType: string, limits: ExtractionLimits): Promise<string> {
  const extract = extractors[mimeType];
  if (!extract) throw new UnreadableDocumentError(`A document of type ${mimeType} cannot be read.`);
  const text = withoutJunk(await extract(bytes, limits));
  if (text.trim() === "") throw new UnreadableDocumentError("The file contains no text. Is it a scan?");
  requireShort(text.length, limits);
  return text;
}

type Extract = (bytes: Buffer, limits: ExtractionLimits) => string | Promise<string>;
const extractors: Record<string, Extract> = {
  [formats.html]: textOfHtml,
  [formats.pdf]: textOfPdf,
  [formats.docx]: textOfDocx,
};

/** Removes characters that PostgreSQL's texts cannot contain. */
const withoutJunk = (text: string) => text.replaceAll("\0", "").toWellFormed();

function requireShort(length: number, { maxCharacters }: ExtractionLimits): void {
  if (length > maxCharacters) {
    throw new UnreadableDocumentError(`The text of the file has more than ${maxCharacters} characters.`);
  }
}

const headings = ["h1", "h2", "h3", "h4", "h5", "h6"];
const htmlToText = compile({
  wordwrap: false,
  // The default silently truncates after 16 MB.
  limits: { maxInputLength: Number.MAX_SAFE_INTEGER },
  selectors: [
    { selector: "a", options: { ignoreHref: true } },
    { selector: "img", format: "skip" },
    { selector: "template", format: "skip" },
    // For pages without `<body>`.
    { selector: "title", format: "skip" },
    ...headings.map((selector) => ({ selector, options: { uppercase: false } })),
    { selector: "tr", format: "block" },
    { selector: "th", format: "cell" },
    { selector: "td", format: "cell" },
  ],
  formatters: {
    cell(element, walk, builder) {
      walk(element.children, builder);
      builder.addInline(" ");
    },
  },
});

function textOfHtml(bytes: Buffer): string {
  try {
    return htmlToText(decodeText(bytes, true));
  } catch (error) {
    if (error instanceof UnreadableTextError) {
      throw new UnreadableDocumentError(`The page cannot be read as text. ${error.message}`, { cause: error });
    }
    // The library recurses, so deep nesting exceeds the stack.
    if (error instanceof RangeError) {
      throw new UnreadableDocumentError("The elements of the page are nested too deeply.", { cause: error });
    }
    throw error;
  }
}

async function textOfPdf(bytes: Buffer, limits: ExtractionLimits): Promise<string> {
  const pdf = await getDocumentProxy(new Uint8Array(bytes), {
    // No access to the system's fonts or other resources.
    useSystemFonts: false,
    disableFontFace: true,
    useWorkerFetch: false,
    enableXfa: false,
    verbosity: 0,
  }).catch((error) => {
    throw unreadablePdf(error);
  });
  try {
    if (pdf.numPages > limits.maxPages) {
      throw new UnreadableDocumentError(`The PDF declares ${pdf.numPages} pages; the maximum is ${limits.maxPages}.`);
    }
    const pages: string[] = [];
    let length = 0;
    for (let number = 1; number <= pdf.numPages; number++) {
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      const text = items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join("");
      page.cleanup();
      length += text.length;
      requireShort(length, limits);
      pages.push(text.trim());
    }
    return pages.filter((page) => page !== "").join("\n\n");
  } catch (error) {
    throw unreadablePdf(error);
  } finally {
    await pdf.loadingTask.destroy();
  }
}

function unreadablePdf(error: unknown): UnreadableDocumentError {
  if (error instanceof UnreadableDocumentError) return error;
  if ((error as Error).name === "PasswordException")
    return new UnreadableDocumentError("The PDF is protected by a password.");
  return new UnreadableDocumentError(`The PDF is damaged: ${firstLine(error)}`, { cause: error });
}

async function textOfDocx(bytes: Buffer, { maxInflatedBytes }: ExtractionLimits): Promise<string> {
  try {
    const archive = openArchive(bytes, maxInflatedBytes);
    // An undocumented option of mammoth, which would otherwise inflate the archive itself, without limits.
    const file = {
      exists: archive.has,
      read: async (name: string, encoding?: string) => {
        const part = archive.read(name);
        return encoding ? new TextDecoder(encoding).decode(part) : part;
      },
    };
    return (await mammoth.extractRawText({ file } as never)).value;
  } catch (error) {
    if (error instanceof BadArchiveError) throw new UnreadableDocumentError(error.message, { cause: error });
    throw new UnreadableDocumentError(`The Word document is damaged: ${firstLine(error)}`, { cause: error });
  }
}

const firstLine = (error: unknown) => String((error as Error).message).split("\n", 1)[0];
