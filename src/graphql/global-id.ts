/** Global ids: opaque to clients, `Type:uuid` in base64url to us. */
import { badInput } from "../errors.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export type GlobalId = { typename: string; id: string };

export function encodeGlobalId(typename: string, id: string): string {
  return Buffer.from(`${typename}:${id}`).toString("base64url");
}

/** A type's name and a UUID have far less. */
const longest = 200;

/** The parts of an id made here, or undefined. */
export function parseGlobalId(globalId: string): GlobalId | undefined {
  if (globalId.length > longest) return undefined;
  const [typename, id] = Buffer.from(globalId, "base64url").toString("latin1").split(":");
  if (!typename || !id || !uuid.test(id)) return undefined;
  // Also refuses a third part.
  return encodeGlobalId(typename, id) === globalId ? { typename, id } : undefined;
}

/**
 * The row's id behind an id of this type.
 *
 * @param inputPath where the id stands in the arguments
 * @throws ApplicationError BAD_USER_INPUT when it is no id, or of another type
 */
export function decodeGlobalId(typename: string, globalId: string, inputPath: readonly string[]): string {
  const parsed = parseGlobalId(globalId);
  if (!parsed) throw badInput(inputPath, "This is not an id of this server.");
  if (parsed.typename !== typename) {
    throw badInput(inputPath, `This is an id of the type ${parsed.typename}: send one of the type ${typename}.`);
  }
  return parsed.id;
}

/** Replaces the ids of the database in objects with a `__typename`, at any depth. */
export function withGlobalIds<Value>(value: Value): Value;
export function withGlobalIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withGlobalIds);
  if (value === null || typeof value !== "object" || value instanceof Date) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, withGlobalIds(item)]);
  const copy = Object.fromEntries(entries);
  if (typeof copy.__typename !== "string" || !uuid.test(String(copy.id))) return copy;
  return { ...copy, id: encodeGlobalId(copy.__typename, copy.id) };
}
