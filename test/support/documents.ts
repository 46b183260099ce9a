/** Small files of every format, made by code, and ways to damage them. */
import { crc32, deflateRawSync, deflateSync } from "node:zlib";

export const docxType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/** A PDF with one page for each text, whose lines are separated by line feeds. Latin letters only. */
export function pdf(pages: readonly string[], more: { trailer?: string; count?: number } = {}): Buffer {
  return pdfOf(
    pages.map((page) => {
      const lines = page.split("\n").map((line) => `(${line.replace(/[()\\]/g, "\\$&")}) Tj T*`);
      return deflateSync(Buffer.from(`BT /F1 12 Tf 14 TL 50 750 Td ${lines.join(" ")} ET`, "latin1"));
    }),
    more,
  );
}

/** A PDF whose pages have these contents, compressed with zlib. */
export function pdfOf(contents: readonly Buffer[], { trailer = "", count = contents.length } = {}): Buffer {
  const kids = contents.map((_, index) => `${4 + 2 * index} 0 R`).join(" ");
  const objects: (string | Buffer)[][] = [
    ["<< /Type /Catalog /Pages 2 0 R >>"],
    [`<< /Type /Pages /Kids [${kids}] /Count ${count} >>`],
    ["<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"],
  ];
  for (const [index, content] of contents.entries()) {
    const resources = "/MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>";
    objects.push([`<< /Type /Page /Parent 2 0 R ${resources} /Contents ${5 + 2 * index} 0 R >>`]);
    objects.push([`<< /Length ${content.length} /Filter /FlateDecode >>\nstream\n`, content, "\nendstream"]);
  }
  const parts: Buffer[] = [Buffer.from("%PDF-1.4\n")];
  const offsets: number[] = [];
  let length = parts[0]?.length ?? 0;
  const add = (part: string | Buffer) => {
    const bytes = Buffer.from(part as string, "latin1");
    parts.push(bytes);
    length += bytes.length;
  };
  for (const [index, object] of objects.entries()) {
    offsets.push(length);
    add(`${index + 1} 0 obj\n`);
    object.forEach(add);
    add("\nendobj\n");
  }
  const start = length;
  const entries = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  add(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}`);
  add(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`);
  return Buffer.concat(parts);
}

/** A PDF that asks for a password. */
export function protectedPdf(): Buffer {
  const key = `<${"5a".repeat(32)}>`;
  const encryption = `/Encrypt << /Filter /Standard /V 1 /R 2 /O ${key} /U ${key} /P -4 >>`;
  return pdf(["Secret."], {
    trailer: `${encryption} /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]`,
  });
}

const contentTypes = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="${docxType}.main+xml"/></Types>`;
const relationships = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`;

/** A DOCX with these paragraphs. */
export function docx(paragraphs: readonly string[]): Buffer {
  const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const body = paragraphs.map((text) => `<w:p><w:r><w:t xml:space="preserve">${escaped(text)}</w:t></w:r></w:p>`);
  return docxOf(body.join(""));
}

/** A DOCX with this in its body, or this as its whole text. `prefix` stands before the root element: declarations, say. */
export function docxOf(body: string | { compressed: Buffer }, prefix = ""): Buffer {
  const namespace = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
  const head = `<?xml version="1.0" encoding="UTF-8"?>${prefix}<w:document ${namespace}><w:body>`;
  return zip({
    "[Content_Types].xml": contentTypes,
    "_rels/.rels": relationships,
    "word/document.xml": typeof body === "string" ? `${head}${body}</w:body></w:document>` : body,
  });
}

/** A zip archive. What is given as compressed stands in it as it is, and the archive lies about its size. */
function zip(files: Record<string, string | { compressed: Buffer }>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const plain = Buffer.from(typeof content === "string" ? content : "");
    const compressed = typeof content === "string" ? deflateRawSync(plain) : content.compressed;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(compressed.length, 14);
    common.writeUInt32LE(plain.length || 1_000, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    parts.push(Buffer.from("PK\x03\x04", "latin1"), common, Buffer.from(name), compressed);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, place, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + compressed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}

/** So many megabytes of spaces, compressed to a thousandth. */
export function bomb(megabytes: number, compress: (bytes: Buffer) => Buffer): Buffer {
  return compress(Buffer.alloc(megabytes * 1_000_000, 0x20));
}

export type Random = () => number;

/** 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A copy with some bits turned over, cut short, or with a piece missing. The first bytes stay, so that it is known. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const place = () => 8 + Math.floor(random() * (copy.length - 8));
  const kind = random();
  if (kind < 0.25) return copy.subarray(0, place());
  if (kind < 0.4) {
    const [from, to] = [place(), place()].sort((one, other) => one - other) as [number, number];
    return Buffer.concat([copy.subarray(0, from), copy.subarray(to)]);
  }
  const times = 1 + Math.floor(random() * 20);
  for (let time = 0; time < times; time++) {
    const at = place();
    copy[at] = (copy[at] as number) ^ (1 << Math.floor(random() * 8));
  }
  return copy;
}

/** Bytes of a text in a single-byte encoding, in which every character must exist. */
export function encoded(text: string, encoding: string): Uint8Array {
  const codes = new Map<string, number>();
  const decoder = new TextDecoder(encoding);
  for (let code = 255; code >= 0; code--) codes.set(decoder.decode(Uint8Array.of(code)), code);
  return Uint8Array.from(text, (character) => {
    const code = codes.get(character);
    if (code === undefined) throw new Error(`${encoding} has no ${character}.`);
    return code;
  });
}
