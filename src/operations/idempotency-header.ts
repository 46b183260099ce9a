/**
 * `Idempotency-Key`: a mutation with a known key is not executed again. The response is the stored one, with
 * `Idempotent-Replay: true`. Keys are separate for each user.
 */
import { createHash } from "node:crypto";
import { type ExecutionArgs, type ExecutionResult, type GraphQLFormattedError, print } from "graphql";
import { ApplicationError } from "../errors.ts";
import type { OperationContext } from "../graphql/context.ts";
import { StagedFile } from "../storage/file-store.ts";
import { type IdempotencyKey, reserveKey, storeAnswer } from "../unit-of-work/idempotency-keys.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import { answerAgain } from "./error-answers.ts";

/** The key of this operation, or null if the client sent none. @throws ApplicationError if the key cannot be used */
export function keyOf(
  { document, operationName, variableValues }: ExecutionArgs,
  { request, viewer }: OperationContext,
  answersAreSecret: boolean,
): IdempotencyKey | null {
  const key = request.headers.get("idempotency-key");
  if (key === null) return null;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw refusal("An Idempotency-Key has 1 to 255 visible ASCII characters.");
  }
  if (!viewer) throw refusal("An Idempotency-Key needs a user: sign in first.");
  if (answersAreSecret)
    throw refusal("A response with tokens is not stored: send this operation without an Idempotency-Key.");
  const hash = createHash("sha256").update(`${print(document)}\n${operationName ?? ""}\n`);
  addTo(hash, variableValues ?? null);
  return { userId: viewer.id, key, requestHash: hash.digest("hex") };
}

function refusal(message: string): ApplicationError {
  return new ApplicationError("BAD_USER_INPUT", message, { http: { status: 400 } });
}

/** Hashes a canonical form, so the order of object fields is irrelevant. Files are hashed by name and contents. */
function addTo(hash: ReturnType<typeof createHash>, value: unknown): void {
  if (Array.isArray(value)) {
    hash.update("[");
    for (const item of value) addTo(hash, item);
    hash.update("]");
  } else if (value instanceof StagedFile) {
    hash.update(`file ${JSON.stringify([value.name, value.sizeBytes, value.sha256])}`);
  } else if (typeof value === "object" && value !== null) {
    hash.update("{");
    for (const [name, item] of Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))) {
      hash.update(`${JSON.stringify(name)}:`);
      addTo(hash, item);
    }
    hash.update("}");
  } else {
    hash.update(`${JSON.stringify(value)},`);
  }
}

/** Serializes operations with the same key in this process, so that waiting ones hold no connection. */
const running = new Map<string, Promise<unknown>>();

export async function oneAtATime<Result>({ userId, key }: IdempotencyKey, run: () => Promise<Result>): Promise<Result> {
  const name = `${userId} ${key}`;
  const mine = (running.get(name) ?? Promise.resolve()).then(run, run);
  running.set(name, mine);
  try {
    return await mine;
  } finally {
    if (running.get(name) === mine) running.delete(name);
  }
}

export type KeyedOptions = {
  retentionHours: number;
  /** Masks an error, as it is stored. */
  show: (error: unknown) => GraphQLFormattedError;
};

/** Returns the stored response of the key, or executes and stores it. */
export async function executeOnce(
  uow: UnitOfWork,
  key: IdempotencyKey,
  { retentionHours, show }: KeyedOptions,
  execute: () => Promise<ExecutionResult>,
): Promise<{ result: ExecutionResult; isReplay: boolean }> {
  const stored = await reserveKey(uow, key, retentionHours);
  if (stored !== null) {
    uow.doWithoutPreparations();
    return { result: parse(stored), isReplay: true };
  }
  const result = await execute();
  const { data, errors } = result;
  await storeAnswer(uow, key, JSON.stringify({ data, errors: errors?.map((error) => formatted(show(error))) }));
  return { result, isReplay: false };
}

function formatted({ message, path, extensions }: GraphQLFormattedError): GraphQLFormattedError {
  return { message, ...(path ? { path } : {}), ...(extensions ? { extensions } : {}) };
}

function parse(stored: string): ExecutionResult {
  const { data, errors } = JSON.parse(stored) as { data: ExecutionResult["data"]; errors?: GraphQLFormattedError[] };
  return { data, ...(errors ? { errors: errors.map(answerAgain) } : {}) };
}
