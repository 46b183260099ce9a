/**
 * Stores responses under the idempotency keys of clients, so that a repeated operation is not executed again. Key and
 * response are written in the operation's transaction, so they exist if and only if it committed.
 */
import type { Sql } from "../eager-loading/sql.ts";
import { sql } from "../eager-loading/sql.ts";
import { deleteInBatches } from "./delete-in-batches.ts";
import type { RunUnitOfWork, UnitOfWork } from "./unit-of-work.ts";

export type IdempotencyKey = {
  userId: string;
  key: string;
  /** Distinguishes requests, to detect that a key is reused for another one. */
  requestHash: string;
};

/** The key was used for another request. */
export class IdempotencyMismatchError extends Error {
  override name = "IdempotencyMismatchError";
}

/**
 * Reserves the key. Concurrent requests with it block on the row, on any server, until this transaction ends.
 *
 * @param retentionHours older responses are ignored, even if not yet swept
 * @returns the stored response of a committed operation; null if the operation is to be executed now
 * @throws IdempotencyMismatchError
 */
export async function reserveKey(uow: UnitOfWork, key: IdempotencyKey, retentionHours: number): Promise<string | null> {
  const { userId, key: name, requestHash } = key;
  const reserved = await uow.write(sql`
    insert into idempotency_keys as k (user_id, key, request_hash) values (${userId}::uuid, ${name}, ${requestHash})
    on conflict (user_id, key) do update set request_hash = excluded.request_hash, answer = null, created_at = now()
      where k.created_at < now() - make_interval(hours => ${retentionHours}::int)
    returning 1 as reserved`);
  if (reserved.length > 0) return null;
  const [stored] = await uow.reader.read(find(userId, name));
  // The row was swept between the two statements.
  if (!stored) return reserveKey(uow, key, retentionHours);
  if (stored.requestHash !== requestHash) throw new IdempotencyMismatchError("The key was used for another request.");
  return stored.answer as string;
}

const find = (userId: string, name: string): Sql => sql`
  select request_hash as "requestHash", answer from idempotency_keys
  where user_id = ${userId}::uuid and key = ${name}`;

/** Stores the response of the operation that reserved the key. */
export async function storeAnswer(uow: UnitOfWork, { userId, key }: IdempotencyKey, answer: string): Promise<void> {
  await uow.write(sql`
    update idempotency_keys set answer = ${answer} where user_id = ${userId}::uuid and key = ${key}`);
}

/** Deletes old keys. Returns their number. */
export const sweepKeys = (run: RunUnitOfWork<object>, retentionHours: number): Promise<number> =>
  deleteInBatches(
    run,
    "sweep idempotency keys",
    (limit) => sql`
      delete from idempotency_keys where id in (
        select id from idempotency_keys
        where created_at < now() - make_interval(hours => ${retentionHours}::int)
        order by created_at limit ${limit} for update skip locked)
      returning 1 as swept`,
  );
