/** Measures the latency of small requests, and the throughput of large queries, when both run concurrently. */
import { setTimeout as pause } from "node:timers/promises";
import { signUp } from "./client.ts";
import { type Stage, startLectern, withDatabase } from "./stage.ts";

export type TurnsResult = { smallMedianMs: number; smallP99Ms: number; largePerSecond: number; refused: number };

const users = 50;
const documentsPerUser = 10;
/** 40 users, 8 documents of each, and the owners of those. */
const large =
  "{ users(first: 40) { nodes { id name documents(first: 8) { totalCount nodes { id title status createdAt owner { name } } } } } }";
/** Delay of a refused client, as in `Retry-After`. */
const retryAfterMs = 1_000;
const betweenSmallMs = 10;

/** @param settings of the server */
export async function turns(
  stage: Stage,
  settings: Record<string, string>,
  clients: number,
  seconds: number,
): Promise<TurnsResult> {
  return withDatabase(stage, async (database) => {
    await database.pool.query(
      `with owner as (
         insert into users (email, name, password_hash)
         select format('user-%s@lectern.example', n), 'User', '-' from generate_series(1, ${users}) n returning id)
       insert into documents (owner_id, title, mime_type, size_bytes, sha256, text, visibility)
       select id, format('Document %s', n), 'text/plain', 1, md5(id::text || n) || md5(n::text), 'x', 'SHARED'
       from owner, generate_series(1, ${documentsPerUser}) n`,
    );
    const server = await startLectern("start", database, { WORKERS: "0", ...settings });
    try {
      const { accessToken } = await signUp(server.address);
      const ask = async (query: string): Promise<boolean> => {
        const response = await fetch(server.address, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${accessToken}` },
          body: JSON.stringify({ query }),
        });
        const answer = await response.text();
        if (response.status !== 503 && !answer.startsWith('{"data":')) throw new Error(`No figure: ${answer}`);
        return response.status !== 503;
      };
      await ask(large);
      return await measure(ask, clients, seconds);
    } finally {
      await server.stop();
    }
  });
}

async function measure(
  /** Whether the query was answered. */
  ask: (query: string) => Promise<boolean>,
  clients: number,
  seconds: number,
): Promise<TurnsResult> {
  let [isOver, answered, refused] = [false, 0, 0];
  const waits: number[] = [];
  const asking = Array.from({ length: clients }, async () => {
    while (!isOver) {
      if (await ask(large)) answered++;
      else {
        refused++;
        await pause(retryAfterMs);
      }
    }
  });
  const small = (async () => {
    while (!isOver) {
      const sent = performance.now();
      await ask("{ __typename }");
      waits.push(performance.now() - sent);
      await pause(betweenSmallMs);
    }
  })();
  const started = performance.now();
  await pause(1_000 * seconds);
  isOver = true;
  await Promise.all([small, ...asking]);
  const largePerSecond = answered / ((performance.now() - started) / 1_000);
  waits.sort((one, other) => one - other);
  const at = (share: number) => waits[Math.floor(share * (waits.length - 1))] as number;
  return { smallMedianMs: at(0.5), smallP99Ms: at(0.99), largePerSecond, refused };
}
