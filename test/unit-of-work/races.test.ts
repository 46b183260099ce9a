/**
 * Many at once on the same rows: nothing is lost, nobody sees a deadlock, and no two that would each be right alone
 * are wrong together. A second program takes part that knows nothing of Lectern but the tables.
 */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentRepository } from "../../src/documents/document.repository.ts";
import { unitOfWorkRunner } from "../../src/unit-of-work/runner.ts";
import type { UnitOfWork } from "../../src/unit-of-work/unit-of-work.ts";
import { graphql } from "../support/client/generated/gql.ts";
import { uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, startLectern } from "../support/lectern.ts";
import { collectedLog } from "../support/logs.ts";
import { rounds } from "../support/rounds.ts";

let lectern: Lectern;
const long = { timeout: 1_800_000 };

beforeAll(async () => {
  lectern = await startLectern({ settings: { ACCESS_TOKEN_SECONDS: "3600" } });
  // The database looks for deadlocks sooner than after its usual second, or 2,000 of them would take an hour.
  await lectern.database.query(`alter database ${lectern.database.name} set deadlock_timeout = '20ms'`);
  // Connections that were open before do not know it yet.
  await lectern.database.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lectern write' and datname = current_database()",
  );
});
afterAll(() => lectern.stop());

/** Runs `work` with the numbers from 0, so many at a time. */
async function concurrently(count: number, places: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: places }, worker));
}

const Increment = graphql(`
  mutation RaceIncrement($id: ID!, $version: Int!, $title: String!) {
    updateDocument(input: { id: $id, expectedVersion: $version, title: $title }) { document { version title } }
  }
`);

describe("increments", () => {
  it(`by 32 clients, ${rounds(200, 10_000)} of them, beside another program: none is lost`, long, async () => {
    const ada = await lectern.person("Ada");
    const counters = await Promise.all(
      Array.from({ length: 8 }, (_, index) => ada.document({ title: "0", text: `A counter, the ${index}th.` })),
    );
    const other = new pg.Pool({ connectionString: lectern.database.url, max: 2, application_name: "other program" });
    const count = rounds(200, 10_000);
    let conflicts = 0;
    let done = 0;
    const byLectern = concurrently(count, 32, async (index) => {
      const { id } = counters[index % counters.length] as { id: string };
      let seen = { version: 1, title: "0" };
      for (;;) {
        const title = String(Number(seen.title) + 1);
        const request = ada.client.request(Increment, { id, version: seen.version, title });
        const errors = await request.then(
          () => null,
          () => errorsOf(request),
        );
        if (!errors) return void done++;
        expect(errors.map(({ extensions }) => extensions.code)).toEqual(["CONFLICT"]);
        // What the conflict shows is all that the client needs for the next try.
        seen = errors[0]?.extensions.current as typeof seen;
        conflicts++;
      }
    });
    let byOther = 0;
    const bySql = concurrently(count, 2, async (index) => {
      const id = uuidOf(counters[index % counters.length]?.id as string);
      const sql = "update documents set title = (title::int + 1)::text where id = $1";
      // In step with the clients, so that both are at it to the end.
      while (done < index) await pause(1);
      const { rowCount } = await other.query(sql, [id]);
      byOther += rowCount ?? 0;
    });
    await Promise.all([byLectern, bySql]);
    await other.end();
    const rows = await lectern.database.query("select title, version from documents where title ~ '^[0-9]+$'");
    const sum = rows.reduce((total, row) => total + Number(row.title), 0);
    expect(sum).toBe(count + byOther);
    // Every write raised the version by one, whoever wrote.
    expect(rows.map(({ title, version }) => (version as number) - Number(title))).toEqual(rows.map(() => 1));
    console.log(
      `${count} increments by 32 clients beside ${byOther} by SQL: ${conflicts} conflicts told and tried again`,
    );
    expect(conflicts).toBeGreaterThan(0);
  });
});

describe("deadlocks", () => {
  it(
    `of two that take the same rows in opposite order, ${rounds(60, 2_000)} times: nobody sees one`,
    long,
    async () => {
      const ada = await lectern.person("Ada");
      const ids = [uuidOf((await ada.document()).id), uuidOf((await ada.document()).id)] as const;
      const { logger, lines } = collectedLog();
      const run = unitOfWorkRunner({
        database: lectern.application.database,
        reads: lectern.application.reads,
        repositories: (uow: UnitOfWork) => ({ documents: documentRepository(uow) }),
        limits: { waitMs: 20_000, timeoutMs: 20_000, maxAttempts: 6, maxRetryMs: 5_000 },
        logger,
      });
      const times = rounds(60, 2_000);
      for (let round = 0; round < times; round++) {
        let holding = 0;
        const bothHold = Promise.withResolvers<void>();
        const cross = (name: string, first: string, second: string) =>
          run({ name }, async ({ documents, attempt }) => {
            await documents.update(first, { title: `${name} ${round}` });
            // At the first try both hold one row before either asks for the other's.
            if (attempt === 1 && ++holding === 2) bothHold.resolve();
            if (attempt === 1) await bothHold.promise;
            await documents.update(second, { title: `${name} ${round}` });
          });
        await Promise.all([cross("upwards", ids[0], ids[1]), cross("downwards", ids[1], ids[0])]);
      }
      const rows = await lectern.database.query("select version from documents where id = any($1)", [ids]);
      expect(rows.map(({ version }) => version)).toEqual([1 + 2 * times, 1 + 2 * times]);
      const again = lines.filter(({ msg }) => msg === "unit of work is retried");
      // One of the two is rolled back, or both. Sometimes one is back for the first row before the other has woken up to take it, the
      // more often the busier the machine is.
      expect(again.length).toBeGreaterThanOrEqual(times);
      expect(again.length).toBeLessThan(times * 2);
      // Who was in the way is known.
      expect(again[0]).toMatchObject({ sqlState: "40P01", attempts: 1, reason: "conflict" });
      const pairs = again.map(({ operation, collidedWith }) => [operation, ...(collidedWith as string[])].sort());
      expect(pairs.filter((pair) => pair.join() !== "downwards,upwards")).toEqual([]);
      const ended = lines.filter(({ msg }) => msg === "unit of work");
      expect(ended.filter(({ outcome }) => outcome !== "committed")).toEqual([]);
      console.log(`${times} deadlocks: ${again.length} tries again`);
    },
  );
});

const Demote = graphql(`
  mutation RaceDemote($id: ID!) {
    setUserRole(input: { userId: $id, role: VIEWER }) { user { role } }
  }
`);

const CreateSame = graphql(`
  mutation RaceCreate($text: String!) {
    createDocument(input: { source: { text: $text } }) { isDuplicate document { id } }
  }
`);

describe("write skew", () => {
  it(`of two admins who demote each other, ${rounds(60, 1_000)} times: one stays`, long, async () => {
    const [ada, bob] = [await lectern.person("Ada", "ADMIN"), await lectern.person("Bob", "ADMIN")];
    for (let round = 0; round < rounds(60, 1_000); round++) {
      const outcomes = await Promise.allSettled([
        ada.client.request(Demote, { id: bob.id }),
        bob.client.request(Demote, { id: ada.id }),
      ]);
      const admins = await lectern.database.query("select 1 from users where role = 'ADMIN'");
      expect([admins.length, outcomes.filter(({ status }) => status === "fulfilled").length]).toEqual([1, 1]);
      await lectern.database.query("update users set role = 'ADMIN' where name in ('Ada', 'Bob') and email = any($1)", [
        [ada.email, bob.email],
      ]);
      lectern.application.viewers.forget();
    }
  });

  it(`of two who bring the same bytes (DO NOTHING), ${rounds(60, 1_000)} times: one document`, long, async () => {
    const ada = await lectern.person("Ada");
    for (let round = 0; round < rounds(60, 1_000); round++) {
      const text = `The same bytes ${round}.`;
      const answers = await Promise.all([1, 2, 3].map(() => ada.client.request(CreateSame, { text })));
      expect(new Set(answers.map(({ createDocument }) => createDocument.document.id)).size).toBe(1);
      expect(answers.filter(({ createDocument }) => !createDocument.isDuplicate)).toHaveLength(1);
    }
  });

  it(
    `behind DO UPDATE … WHERE and DO NOTHING, ${rounds(40, 1_000)} times each: the row's lock holds it`,
    long,
    async () => {
      // Somebody must always be on call. PostgreSQL 18's SERIALIZABLE misses the skew when the writes are of these
      // shapes and match nothing; a lock on the rows that the rule reads does not.
      await lectern.database.query(`create table on_call (name text primary key, is_on boolean not null);
         grant all on on_call to lectern_server`);
      const shapes = [
        "insert into on_call values ($1, false) on conflict (name) do update set is_on = false where on_call.is_on",
        "with off as (insert into on_call values ($1, false) on conflict do nothing) update on_call set is_on = false where name = $1",
      ];
      for (const shape of shapes) {
        for (let round = 0; round < rounds(40, 1_000); round++) {
          await lectern.database.query("truncate on_call");
          await lectern.database.query("insert into on_call values ('ada', true), ('bob', true)");
          const leave = (name: string) =>
            lectern.application.run({ name: "leave", isolation: "Serializable" }, async (uow) => {
              const prisma = await uow.transaction();
              const on = await prisma.$queryRaw<
                unknown[]
              >`select name from on_call where is_on order by name for update`;
              if (on.length > 1) await prisma.$executeRawUnsafe(shape, name);
            });
          await Promise.all([leave("ada"), leave("bob")]);
          const left = await lectern.database.query("select name from on_call where is_on");
          expect(left).toHaveLength(1);
        }
      }
    },
  );

  it("is retried by SERIALIZABLE, where nothing is locked and the writes are plain", async () => {
    let tries = 0;
    for (let round = 0; round < rounds(20, 1_000); round++) {
      await lectern.database.query("update on_call set is_on = true");
      let reading = 0;
      const bothRead = Promise.withResolvers<void>();
      const leave = (name: string) =>
        lectern.application.run({ name: "leave", isolation: "Serializable" }, async (uow) => {
          tries++;
          const prisma = await uow.transaction();
          const on = await prisma.$queryRaw<unknown[]>`select name from on_call where is_on`;
          if (uow.attempt === 1 && ++reading === 2) bothRead.resolve();
          if (uow.attempt === 1) await bothRead.promise;
          if (on.length > 1) await prisma.$executeRaw`update on_call set is_on = false where name = ${name}`;
        });
      await Promise.all([leave("ada"), leave("bob")]);
      expect(await lectern.database.query("select name from on_call where is_on")).toHaveLength(1);
    }
    expect(tries).toBe(3 * rounds(20, 1_000));
  }, 600_000);
});
