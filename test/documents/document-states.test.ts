/** What the database itself keeps of documents, whoever writes: here a person with psql. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addDocument, addUser } from "../support/rows.ts";

let database: TestDatabase;
let owner: string;

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.query("delete from users");
  owner = await addUser(database);
});

const statuses = ["PENDING", "PROCESSING", "COMPLETED", "FAILED"] as const;
type Status = (typeof statuses)[number];

/** The moves of a document. To stay is no move. */
const moves: Record<Status, Status[]> = {
  PENDING: ["PROCESSING"],
  PROCESSING: ["COMPLETED", "FAILED", "PENDING"],
  COMPLETED: ["PENDING"],
  FAILED: ["PENDING"],
};
const waysTo: Record<Status, Status[]> = {
  PENDING: [],
  PROCESSING: ["PROCESSING"],
  COMPLETED: ["PROCESSING", "COMPLETED"],
  FAILED: ["PROCESSING", "FAILED"],
};

const insertDocument = () => addDocument(database, { text: "A text" });

/** With all that the status asks for, so that nothing but the move itself can be wrong. */
function move(id: string, status: Status): Promise<unknown> {
  return database.query(
    `update documents set status = $2, failure = 'a reason', claimed_by = 'a worker',
       claim_token = gen_random_uuid(), lease_until = now() + interval '1 minute' where id = $1`,
    [id, status],
  );
}

async function documentIn(status: Status): Promise<string> {
  const id = await insertDocument();
  for (const step of waysTo[status]) await move(id, step);
  return id;
}

async function read(id: string): Promise<Record<string, unknown>> {
  const [row] = await database.query("select * from documents where id = $1", [id]);
  return row as Record<string, unknown>;
}

/** What a refused statement answers: SQLSTATE, message, and the constraint where one is broken. */
async function refusal(text: string, values: unknown[] = []): Promise<Record<string, unknown>> {
  try {
    await database.query(text, values);
  } catch (error) {
    const { code, message, constraint } = error as Record<string, unknown>;
    return { code, message, constraint };
  }
  throw new Error(`It was expected to be refused: ${text}`);
}

describe("a status", () => {
  for (const from of statuses) {
    for (const to of statuses) {
      if (from === to || moves[from].includes(to)) {
        it(`goes from ${from} to ${to}`, async () => {
          const id = await documentIn(from);
          const { version } = await read(id);
          await move(id, to);
          expect(await read(id)).toMatchObject({ status: to, version: (version as number) + 1 });
        });
      } else {
        it(`does not go from ${from} to ${to}`, async () => {
          const id = await documentIn(from);
          const before = await read(id);
          await expect(move(id, to)).rejects.toMatchObject({
            code: "LT001",
            message: `document ${id} cannot go from ${from} to ${to}`,
          });
          expect(await read(id)).toEqual(before);
        });
      }
    }
  }

  it.each(statuses.filter((status) => status !== "PENDING"))("is not %s at first", async (status) => {
    const answer = await refusal(
      `insert into documents (owner_id, title, mime_type, size_bytes, sha256, text, status, failure, claimed_by,
         claim_token, lease_until) values ($1, 'T', 'text/plain', 1, 'x', 'x', $2, 'f', 'w', gen_random_uuid(), now())`,
      [owner, status],
    );
    expect(answer).toMatchObject({ code: "LT001", message: `a new document is PENDING, not ${status}` });
    expect(await database.query("select count(*)::int as count from documents")).toEqual([{ count: 0 }]);
  });

  it("of many documents moves for all of them or for none", async () => {
    const [done, waiting] = [await documentIn("COMPLETED"), await documentIn("PENDING")];
    const answer = await refusal("update documents set status = 'FAILED', failure = 'all'");
    expect(answer.code).toBe("LT001");
    expect(await read(done)).toMatchObject({ status: "COMPLETED" });
    expect(await read(waiting)).toMatchObject({ status: "PENDING", failure: null });
  });
});

describe("every move", () => {
  it("is one event of the outbox, in the order of commits, with the worker and its claim", async () => {
    const id = await insertDocument();
    const claims: unknown[] = [];
    const begin = async (worker: string) => {
      await database.query("update documents set next_attempt_at = now()");
      const [row] = await database.query("select claim from claim_documents($1, 1, '1 minute')", [worker]);
      claims.push(row?.claim);
      return [id, row?.claim];
    };
    await database.query("select release_document($1, $2)", await begin("A"));
    await database.query("select fail_document($1, $2, 'not yet')", await begin("B"));
    await database.query("select complete_document($1, $2, '[]')", await begin("C"));
    await database.query("update documents set status = 'PENDING' where id = $1", [id]);
    await database.query("select fail_document($1, $2, 'never', 1)", await begin("D"));
    await database.query("update documents set status = 'PENDING' where id = $1", [id]);
    // What is rolled back has never moved.
    await refusal("update documents set status = 'COMPLETED' where id = $1", [id]);

    const rows = await database.query(
      `select payload->>'status' as status, payload->>'claimedBy' as worker, payload->>'claimToken' as claim,
         payload->'before'->>'status' as was, payload->'before'->>'claimedBy' as "wasHeldBy",
         payload->'before'->>'claimToken' as "wasClaimed"
       from outbox where row_id = $1 order by position`,
      [id],
    );
    const [a, b, c, d] = claims;
    const none = { worker: null, claim: null };
    const nobody = { wasHeldBy: null, wasClaimed: null };
    expect(rows).toEqual([
      { status: "PENDING", ...none, was: null, ...nobody },
      { status: "PROCESSING", worker: "A", claim: a, was: "PENDING", ...nobody },
      { status: "PENDING", ...none, was: "PROCESSING", wasHeldBy: "A", wasClaimed: a },
      { status: "PROCESSING", worker: "B", claim: b, was: "PENDING", ...nobody },
      { status: "PENDING", ...none, was: "PROCESSING", wasHeldBy: "B", wasClaimed: b },
      { status: "PROCESSING", worker: "C", claim: c, was: "PENDING", ...nobody },
      { status: "COMPLETED", worker: "C", claim: c, was: "PROCESSING", wasHeldBy: "C", wasClaimed: c },
      { status: "PENDING", ...none, was: "COMPLETED", wasHeldBy: "C", wasClaimed: c },
      { status: "PROCESSING", worker: "D", claim: d, was: "PENDING", ...nobody },
      { status: "FAILED", ...none, was: "PROCESSING", wasHeldBy: "D", wasClaimed: d },
      { status: "PENDING", ...none, was: "FAILED", ...nobody },
    ]);
  });
});

describe("a version", () => {
  it("is raised by every write, by one, whatever the write says of it", async () => {
    const id = await insertDocument();
    const first = await read(id);
    expect(first.version).toBe(1);
    const writes = ["title = 'Another'", "title = title", "version = 77", "version = 1", "updated_at = 'epoch'"];
    for (const [count, write] of writes.entries()) {
      await database.query(`update documents set ${write} where id = $1`, [id]);
      expect((await read(id)).version).toBe(count + 2);
    }
    const last = await read(id);
    expect((last.updated_at as Date).getTime()).toBeGreaterThanOrEqual((first.updated_at as Date).getTime());
    expect(last.created_at).toEqual(first.created_at);
  });

  it("of a user is raised too", async () => {
    await database.query("update users set name = 'Ada L.', version = 5 where id = $1", [owner]);
    expect(await database.query("select version from users")).toEqual([{ version: 2 }]);
  });
});

describe("a row that must not be", () => {
  it.each([
    ["documents_title_length", "title = ''"],
    ["documents_title_length", "title = '   '"],
    ["documents_title_length", "title = repeat('x', 501)"],
    ["documents_text_not_empty", "text = ''"],
    ["documents_progress_share", "progress = 1.01"],
    ["documents_progress_share", "progress = -0.01"],
    ["documents_progress_share", "progress = 'NaN'"],
    ["documents_claimed_while_processing", "status = 'PROCESSING'"],
    ["documents_claimed_while_processing", "status = 'PROCESSING', claimed_by = 'w', claim_token = gen_random_uuid()"],
    ["documents_claimed_while_processing", "status = 'PROCESSING', claimed_by = 'w', lease_until = now()"],
  ])("is refused by %s: %s", async (constraint, change) => {
    const id = await insertDocument();
    const before = await read(id);
    expect(await refusal(`update documents set ${change} where id = $1`, [id])).toMatchObject({
      code: "23514",
      constraint,
    });
    expect(await read(id)).toEqual(before);
  });

  it("is a FAILED document without a reason", async () => {
    const id = await documentIn("PROCESSING");
    expect(await refusal("update documents set status = 'FAILED', failure = null where id = $1", [id])).toMatchObject({
      code: "23514",
      constraint: "documents_failure_said",
    });
  });

  it("is a second document of one owner with the same bytes, but not of two", async () => {
    const insert = `insert into documents (owner_id, title, mime_type, size_bytes, sha256, text)
      values ($1, 'T', 'text/plain', 1, 'same', 'x')`;
    await database.query(insert, [owner]);
    expect(await refusal(insert, [owner])).toMatchObject({
      code: "23505",
      constraint: "documents_owner_id_sha256_key",
    });
    await database.query(insert, [await addUser(database, "Bob")]);
  });

  it.each([
    ["chunks_offsets_in_order", "0, 'x', -1, 1", "23514"],
    ["chunks_offsets_in_order", "0, 'x', 3, 3", "23514"],
    ["chunks_offsets_in_order", "0, 'x', 4, 3", "23514"],
    ["chunks_index_not_negative", "-1, 'x', 0, 1", "23514"],
    ["chunks_document_id_index_key", "7, 'x', 0, 1", "23505"],
  ])("is a chunk refused by %s: %s", async (constraint, values, code) => {
    const id = await insertDocument();
    const insert = "insert into chunks (document_id, index, text, start_offset, end_offset, token_count) values";
    await database.query(`${insert} ($1, 7, 'x', 0, 1, 1)`, [id]);
    expect(await refusal(`${insert} ($1, ${values}, 1)`, [id])).toMatchObject({ code, constraint });
  });

  it.each([
    ["users_email_normal", "email = 'Ada@lectern.test'"],
    ["users_email_normal", "email = ' ada@lectern.test'"],
    ["users_email_normal", "email = 'ada'"],
    ["users_email_normal", "email = repeat('a', 250) || '@b.cd'"],
    ["users_name_length", "name = '  '"],
    ["users_name_length", "name = repeat('x', 201)"],
  ])("is a user refused by %s: %s", async (constraint, change) => {
    expect(await refusal(`update users set ${change}`)).toMatchObject({ code: "23514", constraint });
  });
});

describe("titles", () => {
  it("have a twin for search without accents, which nobody can write", async () => {
    const id = await insertDocument();
    for (const form of ["NFC", "NFD"]) {
      await database.query("update documents set title = $2 where id = $1", [
        id,
        "Truyện Kiều: Đoạn Trường".normalize(form),
      ]);
      expect((await read(id)).title_folded).toBe("truyen kieu: doan truong");
    }
    expect(await refusal("update documents set title_folded = 'x' where id = $1", [id])).toMatchObject({
      code: "428C9",
    });
  });
});
