/** Downloads of documents: the original, or the text where there is none. */
import { tables } from "../database/generated/tables.ts";
import type { Download } from "../downloads/download.ts";
import type { Reader } from "../eager-loading/reader.ts";
import { columnsOf, sql } from "../eager-loading/sql.ts";
import { type ByteRange, FileMissingError } from "../storage/file-store.ts";
import { documentVisible } from "./document.visibility.ts";
import { type Format, formats } from "./reading/format.ts";

const endings: Record<Format, string> = {
  [formats.plain]: ".txt",
  [formats.markdown]: ".md",
  [formats.html]: ".html",
  [formats.pdf]: ".pdf",
  [formats.docx]: ".docx",
};

type Named = { title: string; mimeType: string };
type Found = Named & { sizeBytes: bigint; sha256: string; storageKey: string | null; textBytes: number | null };

/** Made of the title, because the name under which a file was sent is not kept. */
export function fileNameOf({ title, mimeType }: Named): string {
  const ending = endings[mimeType as Format];
  return title.toLowerCase().endsWith(ending) ? title : `${title}${ending}`;
}

export const documentDownload: Download = {
  kind: "document",
  async find(id, viewer, reader) {
    // The length of a long text is known without reading it.
    const [row] = await reader.read(sql`
      select t.title, t.mime_type as "mimeType", t.size_bytes as "sizeBytes", t.sha256, t.storage_key as "storageKey",
             octet_length(t.text) as "textBytes"
      from documents t
      where t.id = ${id}::uuid and ${documentVisible(viewer, columnsOf(tables.Document, "t"))}`);
    if (!row) return null;
    const { storageKey, textBytes, ...found } = row as Found;
    const file = { name: fileNameOf(found), disposition: "attachment", sha256: found.sha256 } as const;
    if (storageKey !== null) {
      return { ...file, mimeType: found.mimeType, sizeBytes: Number(found.sizeBytes), storageKey };
    }
    const pieces = (range: ByteRange) => piecesOfText(id, range, reader);
    return { ...file, mimeType: `${found.mimeType}; charset=utf-8`, sizeBytes: textBytes ?? 0, pieces };
  },
};

/** PostgreSQL unpacks the whole text for each, so shorter pieces would make a long text slow. */
const readBytes = 524_288;
/** Passed on in shorter pieces, so that a slow client is seen to take something. */
const pieceBytes = 65_536;

/** The text in UTF-8. It never changes, unlike that of a document with an original. */
async function* piecesOfText(id: string, { start, end }: ByteRange, reader: Reader): AsyncIterable<Uint8Array> {
  for (let position = start; position < end; position += readBytes) {
    const length = Math.min(readBytes, end - position);
    const [row] = await reader.read(sql`
      select substring(convert_to(text, 'UTF8') from ${position + 1}::int for ${length}::int) as piece
      from documents where id = ${id}::uuid`);
    if (!row) throw new FileMissingError(`text of document ${id}`);
    const read = row.piece as Buffer;
    for (let from = 0; from < read.length; from += pieceBytes) yield read.subarray(from, from + pieceBytes);
  }
}
