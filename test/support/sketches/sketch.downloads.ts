/** The file of a sketch, which a browser shows or plays, and a picture that is made for each request. */
import type { Download } from "../../../src/downloads/download.ts";
import { sql } from "../../../src/eager-loading/sql.ts";

type Found = { name: string; storageKey: string; sizeBytes: bigint; sha256: string };

const find = (id: string) => sql`
  select name, storage_key as "storageKey", size_bytes as "sizeBytes", sha256 from sketches where id = ${id}::uuid`;

export const sketchDownload: Download = {
  kind: "sketch",
  async find(id, _viewer, reader) {
    const [row] = await reader.read(find(id));
    if (!row) return null;
    const { name, storageKey, sizeBytes, sha256 } = row as Found;
    const mimeType = name.endsWith(".wav") ? "audio/wav" : "application/octet-stream";
    return { name, mimeType, disposition: "inline", sizeBytes: Number(sizeBytes), sha256, storageKey };
  },
};

export const sketchPicture: Download = {
  kind: "sketch-picture",
  async find(id, _viewer, reader) {
    const [row] = await reader.read(find(id));
    if (!row) return null;
    const bytes = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L9 9"/></svg>');
    const { sha256 } = row as Found;
    const kind = { mimeType: "image/svg+xml", disposition: "inline" } as const;
    return { name: "picture.svg", ...kind, sizeBytes: bytes.length, sha256: `${sha256}-1`, bytes };
  },
};
