/**
 * Answers kept under the keys that clients chose for their operations, so that an operation sent again is not done
 * again. The key and the answer are written in the operation's own transaction: they exist exactly when it happened.
 */
import type { Sql } from "../eager-loading/sql.ts";
import { sql } from "../eager-loading/sql.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

export type IdempotencyKey = {
  userId: string;
  key: string;
  /** Tells one request from another. */
  requestHash: string;
};

/** The key was used for another request. */
export class IdempotencyMismatchError extends Error {
  override name = "IdempotencyMismatchError";
}

/**
 * Takes the key for this unit of work. Whoever comes with the same key meanwhile waits, by the database's own means,
 * until this one has committed or rolled back; on whatever server it came.
 *
 * @param keptHours older answers count as forgotten, swept or not
 * @returns the answer, as it was stored, when the operation has happened already; null when it is to be done now
 * @throws IdempotencyMismatchError
 */
export async function claimKey(uow: UnitOfWork, key: IdempotencyKey, keptHours: number): Promise<string | null> {
  const { userId, key: name, requestHash } = key;
  const claimed = await uow.write(sql`
    insert into idempotency_keys as k (user_id, key, request_hash) values (${userId}::uuid, ${name}, ${requestHash})
    on conflict (user_id, key) do update set request_hash = excluded.request_hash, answer = null, created_at = now()
      where k.created_at < now() - make_interval(hours => ${keptHours}::int)
    returning 1 as claimed`);
  if (claimed.length > 0) return null;
  const [stored] = await uow.reader.read(find(userId, name));
  // It was swept between the two statements.
  if (!stored) return claimKey(uow, key, keptHours);
  if (stored.requestHash !== requestHash) throw new IdempotencyMismatchError("The key was used for another request.");
  return stored.answer as string;
}

const find = (userId: string, name: string): Sql => sql`
  select request_hash as "requestHash", answer from idempotency_keys
  where user_id = ${userId}::uuid and key = ${name}`;

/** Keeps the answer of the operation that holds the key. */
export async function storeAnswer(uow: UnitOfWork, { userId, key }: IdempotencyKey, answer: string): Promise<void> {
  await uow.write(sql`
    update idempotency_keys set answer = ${answer} where user_id = ${userId}::uuid and key = ${key}`);
}

/** Forgets what is old, a batch at a time, so that nobody waits for it. Returns how many. */
export async function sweepKeys(
  run: <Result>(options: { name: string }, work: (uow: UnitOfWork) => Promise<Result>) => Promise<Result>,
  keptHours: number,
): Promise<number> {
  const batch = 1_000;
  for (let swept = 0; ; ) {
    const rows = await run({ name: "sweep idempotency keys" }, (uow) =>
      uow.write(sql`
        delete from idempotency_keys where id in (
          select id from idempotency_keys
          where created_at < now() - make_interval(hours => ${keptHours}::int)
          order by created_at limit ${batch} for update skip locked)
        returning 1 as swept`),
    );
    swept += rows.length;
    if (rows.length < batch) return swept;
  }
}
