/**
 * What an error of the database means for us. Prisma and pg show one SQLSTATE in several shapes; every decision is
 * made on the SQLSTATE, wherever it hides. Table of shapes: docs/transactions.md.
 */

/** The five characters of PostgreSQL's error code, or undefined when the error did not come from there. */
export function sqlStateOf(error: unknown): string | undefined {
  const layers = layersOf(error);
  // Prisma's own code is asked only where the SQLSTATE is nowhere, since P2039 and P2010 stand for many.
  for (const layer of layers) {
    for (const candidate of [layer.originalCode, layer.code]) if (isSqlState(candidate)) return candidate;
  }
  for (const layer of layers) {
    const fromPrisma = prismaStates[String(layer.code)];
    if (fromPrisma) return fromPrisma;
  }
  return undefined;
}

/** Five capitals and digits with a digit among them, unlike EPIPE; P2xxx and P1xxx are Prisma's. */
function isSqlState(code: unknown): code is string {
  return typeof code === "string" && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) && !/^P[12]\d{3}$/.test(code);
}

/** Prisma's own codes where it keeps the SQLSTATE to itself. */
const prismaStates: Record<string, string> = { P2034: "40001", P2002: "23505", P2003: "23503", P2037: "53300" };

/** Another try may succeed, because another transaction was in the way. */
export function isRetryable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === "40001" || state === "40P01";
}

export function isUniqueViolation(error: unknown): boolean {
  return sqlStateOf(error) === "23505";
}

/** A document was asked to make a move that its status does not allow (the trigger's own code). */
export function isIllegalMove(error: unknown): boolean {
  return sqlStateOf(error) === "LT001";
}

/** The transaction, or one of its statements, ran longer than it may. */
export function isTimeout(error: unknown): boolean {
  const state = sqlStateOf(error);
  // Statement, idle in transaction, transaction.
  if (state === "57014" || state === "25P03" || state === "25P04") return true;
  return layersOf(error).some(
    ({ code, message }) => code === "P2028" && !/maxWait|Unable to start/i.test(String(message)),
  );
}

/** A row that others hold was not given up in time. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === "55P03";
}

/** No connection was free in time: nothing has run, and waiting longer would only make everybody late. */
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

/** The database accepts nobody just now: it starts, stops, recovers, or is not there. Nothing has run. */
export function isUnavailable(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === "57P03" || state === "53300") return true;
  return layersOf(error).some(
    ({ code, kind }) => code === "ECONNREFUSED" || code === "P1001" || kind === "DatabaseNotReachable",
  );
}

/** The database found no room on a disk of its own. */
export function isDiskFull(error: unknown): boolean {
  return sqlStateOf(error) === "53100";
}

/** The database could not read or write its files (all of class 58: errors of the system below it). */
export function isDiskFailure(error: unknown): boolean {
  return sqlStateOf(error)?.startsWith("58") ?? false;
}

export function isOutOfMemory(error: unknown): boolean {
  return sqlStateOf(error) === "53200";
}

/**
 * The database lacked a resource, or found itself damaged (XX). As a mere error that undoes the transaction. But it may
 * be the last word of a server that goes down (PANIC), COMMIT's record already written; the word for that is translated
 * with the database's language, so the one cannot be told from the other.
 */
export function mayBeCrash(error: unknown): boolean {
  return /^(53|58|XX)/.test(sqlStateOf(error) ?? "");
}

/** The connection broke: what was under way may or may not have happened. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === "57P01" || state === "57P02" || state?.startsWith("08")) return true;
  return layersOf(error).some(
    ({ code, kind, message }) =>
      lossCodes.has(String(code)) || lossKinds.has(String(kind)) || lossMessages.test(String(message)),
  );
}

/** As Node, Prisma, the adapter and pg say it. */
const lossCodes = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "P1017", "P1008"]);
const lossKinds = new Set(["ConnectionClosed", "SocketTimeout"]);
const lossMessages =
  /Connection terminated|connection error and is not queryable|Client was closed|Server has closed the connection/i;

type Layer = Record<string, unknown>;

/** The error and all that is wrapped in it. */
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
