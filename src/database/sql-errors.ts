/**
 * What an error of the database means for us. Prisma and pg show one SQLSTATE in several shapes; every decision is
 * made on the SQLSTATE, wherever it hides. Table of shapes: docs/transactions.md.
 */

/** The five letters of PostgreSQL's error code, or undefined when the error did not come from there. */
export function sqlStateOf(error: unknown): string | undefined {
  for (const layer of layersOf(error)) {
    for (const candidate of [layer.originalCode, layer.code]) {
      if (typeof candidate === "string" && /^[0-9A-Z]{5}$/.test(candidate) && !/^P2\d{3}$/.test(candidate)) {
        return candidate;
      }
    }
    const fromPrisma = prismaStates[String(layer.code)];
    if (fromPrisma) return fromPrisma;
  }
  return undefined;
}

/** Prisma's own codes where it keeps the SQLSTATE to itself. */
const prismaStates: Record<string, string> = { P2034: "40001", P2002: "23505", P2003: "23503", P2039: "57P03" };

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
  if (state === "57014" || state === "25P03" || state === "25P04") return true;
  return layersOf(error).some(
    ({ code, message }) => code === "P2028" && !/maxWait|Unable to start/i.test(String(message)),
  );
}

/** No connection was free in time, or the database accepts none: nothing has run. */
export function isOverload(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === "57P03" || state === "53300") return true;
  return layersOf(error).some(({ code, message }) => {
    const text = String(message);
    return (
      text.includes("timeout exceeded when trying to connect") ||
      code === "ECONNREFUSED" ||
      (code === "P2028" && /maxWait|Unable to start/i.test(text))
    );
  });
}

/** The connection broke: what was under way may or may not have happened. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === "57P01" || state === "57P02" || state?.startsWith("08")) return true;
  return layersOf(error).some(
    ({ code, message }) =>
      code === "ECONNRESET" ||
      code === "EPIPE" ||
      /Connection terminated|connection error and is not queryable|Client was closed|Server has closed the connection/i.test(
        String(message),
      ),
  );
}

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
