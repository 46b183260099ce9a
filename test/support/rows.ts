/** Rows that are put into the tables past the API, where a test is not about how they come in. */
import { createHash } from "node:crypto";
import type { TestDatabase } from "./database.ts";

type Queryable = Pick<TestDatabase, "query">;

/** Somebody who cannot sign in. */
export async function addUser({ query }: Queryable, name = "Ada"): Promise<string> {
  const [row] = await query(
    "insert into users (email, name, password_hash) values (lower($1) || '@lectern.test', $1, '-') returning id",
    [name],
  );
  return row?.id as string;
}

export type NewDocument = {
  /** Default: the first user. */
  ownerId?: string;
  title?: string;
  text?: string;
  /** Of a document with an original, which then has no text yet. */
  storageKey?: string;
  mimeType?: string;
  sizeBytes?: number;
};

/** Documents that are PENDING, no two with the same bytes. */
export async function addDocuments({ query }: Queryable, documents: readonly NewDocument[]): Promise<string[]> {
  const rows = documents.map(({ ownerId, title = "A title", text = "A text.", ...file }) => ({
    owner: ownerId,
    title,
    type: file.mimeType ?? (file.storageKey ? "text/html" : "text/plain"),
    size: file.sizeBytes ?? Buffer.byteLength(text),
    hash: createHash("sha256").update(`Document ${++added}`).digest("hex"),
    text: file.storageKey ? null : text,
    key: file.storageKey,
  }));
  const made = await query(
    `insert into documents (owner_id, title, mime_type, size_bytes, sha256, text, storage_key)
     select coalesce(owner, (select id from users order by created_at, id limit 1)), title, type, size, hash, text, key
     from jsonb_to_recordset($1)
       as given (owner uuid, title text, type text, size bigint, hash text, text text, key text)
     returning id, sha256`,
    [JSON.stringify(rows)],
  );
  const ids = new Map(made.map(({ id, sha256 }) => [sha256, id as string]));
  return rows.map(({ hash }) => ids.get(hash) as string);
}

export async function addDocument(database: Queryable, document: NewDocument = {}): Promise<string> {
  return (await addDocuments(database, [document]))[0] as string;
}

let added = 0;
