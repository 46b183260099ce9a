/** The library and the query that timings are made with: 20 users, 100 documents, 500 chunks in one answer. */
import type { TestDatabase } from "./database.ts";

export const threeLevels = `{ users(first: 20) { nodes { name documents(first: 5) { nodes { title chunks(first: 5) { nodes { index text } } } } } } }`;

/** To be called on a database with one user. */
export async function fillThreeLevels(database: TestDatabase): Promise<void> {
  await database.query(
    "insert into users (email, name, password_hash) select n || '@x.test', 'User ' || n, '-' from generate_series(1, 19) n",
  );
  await database.query(
    `insert into documents (owner_id, title, mime_type, size_bytes, sha256, text)
     select id, 'Document ' || n, 'text/plain', 1, md5(id::text || n), 'text' from users, generate_series(1, 5) n`,
  );
  await database.query(
    `insert into chunks (document_id, index, text, start_offset, end_offset, token_count)
     select id, place, repeat('word ', 20), 0, 1, 1 from documents, generate_series(0, 4) place`,
  );
}
