/** Downloads of audio: the file, the cover picture and the waveform, each with its address. */
import type { AudioRow } from "../database/generated/tables.ts";
import type { Download, FileAddress } from "../downloads/download.ts";
import { sql } from "../eager-loading/sql.ts";
import { waveformSvg } from "./sound/waveform.ts";

/** A changed file has another address, so that caches do not serve the old one. */
const marked = (sha256: string, name: string) => `${sha256.slice(0, 8)}-${name}`;
const stemOf = (filename: string) => filename.replace(/\.[^.]*$/, "");
const waveformName = (filename: string) => `${stemOf(filename)}.svg`;
const coverName = (filename: string, mimeType: string) => `${stemOf(filename)}.${mimeType.replace(/^image\//, "")}`;

export const fileUrl = (of: FileAddress, { id, sha256, filename }: Pick<AudioRow, "id" | "sha256" | "filename">) =>
  of(audioDownload.kind, id, marked(sha256, filename));

export function coverUrl(of: FileAddress, { id, filename, coverMimeType, coverSha256 }: AudioRow): string | null {
  if (coverMimeType === null || coverSha256 === null) return null;
  return of(coverDownload.kind, id, marked(coverSha256, coverName(filename, coverMimeType)));
}

export const waveformUrl = (of: FileAddress, { id, sha256, filename, durationMs }: AudioRow) =>
  durationMs === null ? null : of(waveformDownload.kind, id, marked(sha256, waveformName(filename)));

export const audioDownload: Download = {
  kind: "audio",
  async find(id, _viewer, reader) {
    const [row] = await reader.read(sql`
      select filename as name, mime_type as "mimeType", size_bytes as "sizeBytes", sha256, storage_key as "storageKey"
      from audio where id = ${id}::uuid`);
    if (!row) return null;
    const { sizeBytes, ...file } = row as Found;
    return { ...file, sizeBytes: Number(sizeBytes), disposition: "inline" };
  },
};

export const coverDownload: Download = {
  kind: "cover",
  async find(id, _viewer, reader) {
    const [row] = await reader.read(sql`
      select filename as name, cover_mime_type as "mimeType", cover_size_bytes as "sizeBytes", cover_sha256 as sha256,
             cover_key as "storageKey"
      from audio where id = ${id}::uuid and cover_key is not null`);
    if (!row) return null;
    const { name, sizeBytes, ...file } = row as Found;
    return { ...file, name: coverName(name, file.mimeType), sizeBytes: Number(sizeBytes), disposition: "inline" };
  },
};

export const waveformDownload: Download = {
  kind: "waveform",
  async find(id, _viewer, reader) {
    const [row] = await reader.read(sql`
      select filename, sha256, peaks from audio where id = ${id}::uuid and peaks is not null`);
    if (!row) return null;
    const { filename, sha256, peaks } = row as { filename: string; sha256: string; peaks: Buffer };
    const bytes = Buffer.from(waveformSvg(peaks));
    const picture = { name: waveformName(filename), mimeType: "image/svg+xml", disposition: "inline" } as const;
    return { ...picture, sha256, sizeBytes: bytes.length, bytes };
  },
};

type Found = { name: string; mimeType: string; sizeBytes: bigint; sha256: string; storageKey: string };
