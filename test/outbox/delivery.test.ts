/**
 * Every change once, in the order of the commits, whatever breaks: a subscriber at one server, writers at another and in
 * plain SQL, the first server's connections to the database cut again and again, and the subscriber's own as well.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectTo } from "../support/database.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { rounds } from "../support/rounds.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { changesOf, type DocumentChange, watchBySse } from "../support/watching.ts";

let writing: Lectern;
let proxy: TcpProxy;
let watching: Lectern;
let admin: Person;

beforeAll(async () => {
  writing = await startLectern();
  proxy = await startTcpProxy(writing.database.url);
  watching = await startLectern({ database: { ...writing.database, url: proxy.url } });
  admin = await writing.person("Admin", "ADMIN");
});
afterAll(async () => {
  await watching.stop();
  await proxy.stop();
  await writing.stop();
});

const sum = rounds(1_000, 10_000);
const rolledBack = "Never happened";

const positionOf = ({ cursor }: DocumentChange) =>
  Number(writing.application.cursors.decode("outbox", cursor, "after")[0]);
const newest = async (): Promise<number> =>
  Number((await writing.database.query("select coalesce(max(position), 0) as newest from outbox"))[0]?.newest);

/** A writer in plain SQL: transactions of one to three changes, every fifth of them rolled back. */
async function writeBySql(isEnough: () => boolean): Promise<void> {
  const client = await connectTo(writing.database.url);
  for (let turn = 0; !isEnough(); turn++) {
    const isDropped = turn % 5 === 4;
    await client.query("begin");
    for (let change = 0; change <= turn % 3; change++) {
      // In the order of ids, so that writers wait for each other and never in a circle.
      await client
        .query(
          `update documents set title = $1 where id = any(array(
           select id from documents where owner_id = (select id from users where name = 'Admin') order by random() limit 1))`,
          [isDropped ? rolledBack : `Title ${turn}.${change}`],
        )
        .catch(() => {});
    }
    await client.query(isDropped ? "rollback" : "commit");
  }
  await client.end();
}

/** A writer through the API: creates, shares, deletes, tries dry, and fails. */
async function writeByApi(isEnough: () => boolean): Promise<void> {
  const failing = `mutation { a: createDocument(input: { source: { text: "x" }, title: "${rolledBack}" }) { isDuplicate }
    b: deleteDocument(input: { id: "nothing" }) { deletedId } }`;
  for (let turn = 0; !isEnough(); turn++) {
    const { id } = await admin.document({ title: `Made ${turn}` });
    await admin
      .with({ "lectern-dry-run": "true" })
      .request(`mutation { deleteDocument(input: { id: "${id}" }) { deletedId } }`);
    await errorsOf(admin.client.request(failing));
    if (turn % 2 === 1) await admin.client.request(`mutation { deleteDocument(input: { id: "${id}" }) { deletedId } }`);
  }
}

it(`brings ${sum} changes, each once`, { timeout: 600_000 }, async () => {
  for (let number = 0; number < 20; number++) await admin.document({ title: `Base ${number}` });
  const begin = await newest();
  const received: DocumentChange[] = [];
  const counts = { connections: 0, cuts: 0 };
  const subscribed = Promise.withResolvers<void>();
  let written = 0;
  let end = Number.POSITIVE_INFINITY;

  const subscriber = (async () => {
    for (;;) {
      const after = received.at(-1)?.cursor;
      const watch = await watchBySse(watching.url, { accessToken: admin.accessToken, variables: { after } });
      counts.connections++;
      subscribed.resolve();
      // Who subscribes while the database cannot be reached is told to try again, and nothing before that.
      const isRefused = () => watch.results[0]?.errors?.[0]?.extensions.code === "OVERLOADED";
      const isAtEnd = () => changesOf(watch.results.slice(-1)).some((change) => positionOf(change) >= end);
      const most = 20 + Math.floor(Math.random() * 200);
      await until(() => isRefused() || watch.results.length >= most || end < Infinity, "it came far enough", 30_000);
      if (end < Infinity) await until(() => isRefused() || isAtEnd(), "it came to the end", 30_000);
      if (isRefused()) continue;
      if (end < Infinity) {
        received.push(...changesOf(watch.results));
        watch.close();
        return;
      }
      // What the client has taken note of counts, and nothing that was under way.
      received.push(...changesOf(watch.results.slice(0, Math.floor(Math.random() * most) + 1)));
      watch.close();
    }
  })();
  await subscribed.promise;

  const began = performance.now();
  let hasFailed = false;
  subscriber.catch(() => {
    hasFailed = true;
  });
  // On a busy machine the subscriber is far behind the writers, and all the more while connections are cut.
  const isCutEnough = () => hasFailed || (written >= sum && counts.cuts > 2);
  const isEnough = () => hasFailed || (isCutEnough() && counts.connections > 3);
  const counting = async () => {
    for (; !isEnough(); await pause(20)) {
      const [row] = await writing.database.query("select count(*) as sum from outbox where position > $1", [begin]);
      written = Number(row?.sum);
    }
  };
  const cutting = async () => {
    for (; !isCutEnough(); await pause(150 + Math.random() * 300)) {
      proxy.cut();
      counts.cuts++;
    }
  };
  await Promise.all([writeBySql(isEnough), writeBySql(isEnough), writeByApi(isEnough), counting(), cutting()]);
  const wroteMs = performance.now() - began;
  await admin.document({ title: "The end" });
  end = await newest();
  await subscriber;

  const rows = await writing.database.query(
    `select o.position, o.row_id as id, o.payload->>'change' as change, exists (
       select 1 from outbox d where d.row_id = o.row_id and d.payload->>'change' = 'deleted') as deleted
     from outbox o where o.position > $1 order by o.position`,
    [begin],
  );
  const positions = received.map(positionOf);
  const all = rows.map(({ position }) => Number(position));
  // What became of a document that was deleted before its turn came is told by the deletion.
  const due = rows.filter(({ change, deleted }) => change === "deleted" || !deleted).map((row) => Number(row.position));
  console.log({ ...counts, due: due.length, received: received.length, wroteMs, ms: performance.now() - began });
  expect(positions).toEqual([...new Set(positions)].sort((one, other) => one - other));
  expect(positions.filter((position) => !all.includes(position))).toEqual([]);
  expect(due.filter((position) => !positions.includes(position))).toEqual([]);
  expect(received.filter(({ document }) => document?.title === rolledBack)).toEqual([]);
  expect(all.length).toBeGreaterThanOrEqual(sum);
});
