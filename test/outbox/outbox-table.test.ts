/** The table itself: how its events are numbered, told and pruned, as a program that writes plain SQL meets it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectTo, type TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addDocument, addUser } from "../support/rows.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
  await addUser(database);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.query("delete from documents");
  await database.query("delete from outbox");
});

const rowId = "01a1fe1d-63bf-76f8-b5d1-2a227d14d302";
const addEvent = "select add_to_outbox('any', $1, jsonb_build_object('by', $2::text))";
const positions = async () =>
  (await database.query("select position from outbox order by 1")).map((row) => Number(row.position));

describe("an event", () => {
  it("gets its position after those of a transaction that is about to commit", async () => {
    const [first, second] = [await connectTo(database.url), await connectTo(database.url)];
    await first.query("begin");
    await first.query(addEvent, [rowId, "first"]);
    const [row] = (await second.query("select pg_backend_pid() as pid")).rows;
    const adding = second.query(addEvent, [rowId, "second"]);
    let isAdded = false;
    void adding.then(() => {
      isAdded = true;
    });
    const waits = "select 1 from pg_locks where pid = $1 and locktype = 'advisory' and not granted";
    await until(
      async () => isAdded || (await database.query(waits, [row.pid])).length > 0,
      "the second was added, or waits for the first",
    );
    expect(isAdded).toBe(false);
    await first.query("commit");
    await adding;
    const rows = await database.query("select payload->>'by' as by from outbox order by position");
    expect(rows).toEqual([{ by: "first" }, { by: "second" }]);
    await Promise.all([first.end(), second.end()]);
  });

  it("of a row is added at the commit, so that a long transaction holds up no other", async () => {
    const id = await addDocument(database);
    const client = await connectTo(database.url);
    for (const change of [
      "update documents set title = 'Another' where id = $1",
      "insert into documents (owner_id, title, mime_type, size_bytes, sha256, text) " +
        "select owner_id, 'A copy', 'text/plain', 1, 'x', 'x' from documents where id = $1",
      "delete from documents where id = $1",
    ]) {
      const before = await positions();
      await client.query("begin");
      await client.query(change, [id]);
      expect((await client.query("select 1 from outbox")).rows).toHaveLength(before.length);
      await client.query("commit");
      expect(await positions()).toHaveLength(before.length + 1);
    }
    await client.end();
  });

  it("is notified at the commit", async () => {
    const client = await connectTo(database.url);
    const heard: string[] = [];
    client.on("notification", ({ channel }) => heard.push(channel));
    await client.query("listen outbox");
    await client.query("begin");
    await client.query(addEvent, [rowId, "the client"]);
    await client.query("select 1");
    expect(heard).toEqual([]);
    await client.query("commit");
    await client.query("select 1");
    expect(heard).toEqual(["outbox"]);
    await client.end();
  });
});

describe("pruning", () => {
  it("waits for the slowest consumer, and leaves the newest event that it may remove as a mark", async () => {
    await database.query("insert into outbox_consumers (name, position) values ('slow', 0)");
    for (const by of ["one", "two", "three", "four"]) await database.query(addEvent, [rowId, by]);
    const all = await positions();
    const setPosition = (name: string, position: unknown) =>
      database.query("update outbox_consumers set position = $2 where name = $1", [name, position]);
    const prune = async () => Number((await database.query("select prune_outbox('0 seconds') as count"))[0]?.count);
    await setPosition("files", all[3]);
    await setPosition("slow", all[1]);
    expect([await prune(), await positions()]).toEqual([1, all.slice(1)]);
    await setPosition("slow", all[3]);
    expect([await prune(), await positions()]).toEqual([2, all.slice(3)]);
    expect([await prune(), await positions()]).toEqual([0, all.slice(3)]);
    await database.query("delete from outbox_consumers where name = 'slow'");
  });
});
