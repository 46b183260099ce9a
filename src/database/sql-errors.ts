/**
 * Classifies database errors by SQLSTATE, which Prisma and pg wrap in several shapes. docs/transactions.md lists the
 * shapes.
 */

/** PostgreSQL's error code of five characters; undefined if the error has another origin. */
export function sqlStateOf(error: unknown): string | undefined {
  const layers = layersOf(error);
  // Prisma's codes come last: P2039 and P2010 stand for many SQLSTATEs.
  for (const layer of layers) {
    for (const candidate of [layer.originalCode, layer.code]) if (isSqlState(candidate)) return candidate;
  }
  for (const layer of layers) {
    const fromPrisma = prismaStates[String(layer.code)];
    if (fromPrisma) return fromPrisma;
  }
  return undefined;
}

/** Requires a digit, to exclude EPIPE; P1xxx and P2xxx are codes of Prisma. */
function isSqlState(code: unknown): code is string {
  return typeof code === "string" && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) && !/^P[12]\d{3}$/.test(code);
}

/** Values of the message, which is JSON, of an error with this SQLSTATE; undefined if the error has another. */
export function jsonOfState(error: unknown, state: string): Record<string, unknown> | undefined {
  const message = messageOfState(error, state);
  // Some layers put words around it.
  return message && JSON.parse(message.slice(message.indexOf("{"), message.lastIndexOf("}") + 1));
}

/** The message of the layer with this SQLSTATE; undefined if the error has another. */
function messageOfState(error: unknown, state: string): string | undefined {
  if (sqlStateOf(error) !== state) return undefined;
  const layer = layersOf(error).find(({ originalCode, code }) => originalCode === state || code === state);
  return String(layer?.originalMessage ?? layer?.message);
}

/** Codes of Prisma whose errors do not contain the SQLSTATE. */
const prismaStates: Record<string, string> = { P2034: "40001", P2002: "23505", P2003: "23503", P2037: "53300" };

/** A collision with another transaction: a retry may succeed. */
export function isRetryable(error: unknown): boolean {
  const state = sqlStateOf(error);
  // An exclusion constraint at COMMIT, which met a row that the transaction could not see: the retry sees it.
  return state === "40001" || state === "40P01" || state === "23P01";
}

export function isUniqueViolation(error: unknown): boolean {
  return sqlStateOf(error) === "23505";
}

/** Other rows refer to a row that would be deleted, or a row would refer to one that does not exist. */
export function isReferenced(error: unknown): boolean {
  const state = sqlStateOf(error);
  // ON DELETE RESTRICT, since PostgreSQL 18; any other foreign key.
  return state === "23001" || state === "23503";
}

/** A transition that the document's status does not allow. The trigger raises this code. */
export function isIllegalMove(error: unknown): boolean {
  return sqlStateOf(error) === "LT001";
}

/** A table holds as many rows as it may. The trigger raises this code. */
export function isLimitReached(error: unknown): boolean {
  return sqlStateOf(error) === "LT002";
}

/** Timeout of the transaction or of one of its statements. */
export function isTimeout(error: unknown): boolean {
  const state = sqlStateOf(error);
  // Statement, idle in transaction, transaction.
  if (state === "57014" || state === "25P03" || state === "25P04") return true;
  return layersOf(error).some(
    ({ code, message }) => code === "P2028" && !/maxWait|Unable to start/i.test(String(message)),
  );
}

/** Timeout while waiting for a row lock. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === "55P03";
}

/** No connection was free in time, so no statement ran. */
export function isOverload(error: unknown): boolean {
  if (sqlStateOf(error) === "53300") return true;
  return layersOf(error).some(({ code, message }) => {
    const text = String(message);
    return (
      text.includes("timeout exceeded when trying to connect") ||
      (code === "P2028" && /maxWait|Unable to start/i.test(text))
    );
  });
}

/** The database accepts no connections: it is starting, stopping, recovering or unreachable. No statement ran. */
export function isUnavailable(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === "57P03" || state === "53300") return true;
  return layersOf(error).some(
    ({ code, kind }) => code === "ECONNREFUSED" || code === "P1001" || kind === "DatabaseNotReachable",
  );
}

/** A disk of the database is full. */
export function isDiskFull(error: unknown): boolean {
  return sqlStateOf(error) === "53100";
}

/** The database could not read or write its files (class 58: system errors). */
export function isDiskFailure(error: unknown): boolean {
  return sqlStateOf(error)?.startsWith("58") ?? false;
}

export function isOutOfMemory(error: unknown): boolean {
  return sqlStateOf(error) === "53200";
}

/**
 * A missing resource or an internal error (XX). Usually an ordinary error that aborts. At COMMIT it may be a PANIC
 * after the commit record; localized severity hides the difference.
 */
export function mayBeCrash(error: unknown): boolean {
  return /^(53|58|XX)/.test(sqlStateOf(error) ?? "");
}

/** The connection broke, so the outcome of a pending statement is unknown. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === "57P01" || state === "57P02" || state?.startsWith("08")) return true;
  return layersOf(error).some(
    ({ code, kind, message }) =>
      lossCodes.has(String(code)) || lossKinds.has(String(kind)) || lossMessages.test(String(message)),
  );
}

/** Codes and messages of Node, Prisma, its adapter and pg. */
const lossCodes = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "P1017", "P1008"]);
const lossKinds = new Set(["ConnectionClosed", "SocketTimeout"]);
const lossMessages =
  /Connection terminated|connection error and is not queryable|Client was closed|Server has closed the connection/i;

type Layer = Record<string, unknown>;

/** The error and all errors that it wraps. */
function layersOf(error: unknown): Layer[] {
  const layers: Layer[] = [];
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== "object" || layers.includes(value as Layer) || layers.length > 10) return;
    const layer = value as Layer;
    layers.push(layer);
    visit(layer.cause);
    visit(layer.originalError);
    const meta = layer.meta as Layer | undefined;
    if (meta) visit(meta.driverAdapterError);
  };
  visit(error);
  return layers;
}
