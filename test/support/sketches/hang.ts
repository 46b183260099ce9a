import { Readable } from "node:stream";
import { uuidOf } from "../global-ids.ts";
import type { Lectern, Person } from "../lectern.ts";

export type HungSketch = { id: string; key: string; url: string; pictureUrl: string; sha256: string };

/** Puts a file of any size into the store, and a sketch that names it into the table. */
export async function hang(
  lectern: Lectern,
  { id: ownerId, accessToken }: Person,
  name: string,
  bytes: Buffer,
): Promise<HungSketch> {
  const { files } = lectern.application;
  const staged = await files.stage(Readable.from([bytes]), { name, maxBytes: bytes.length });
  const key = await files.keep(staged);
  await lectern.database.query(
    "insert into sketches (owner_id, name, storage_key, size_bytes, sha256) values ($1, $2, $3, $4, $5)",
    [uuidOf(ownerId), name, key, bytes.length, staged.sha256],
  );
  type Shown = { sketches: { nodes: Pick<HungSketch, "id" | "url" | "pictureUrl">[] } };
  const newest = "{ sketches(first: 1) { nodes { id url pictureUrl } } }";
  const { sketches } = await lectern.client({ authorization: `Bearer ${accessToken}` }).request<Shown>(newest);
  const [sketch] = sketches.nodes;
  if (!sketch) throw new Error("The sketch is not shown.");
  return { ...sketch, key, sha256: staged.sha256 };
}
