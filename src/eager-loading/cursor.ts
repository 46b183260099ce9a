/**
 * Cursors hold a row's values in an order, so they stay valid if the row is deleted. A keyed hash prevents forgery and
 * use with another relation or order.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * The values of the order's columns as PostgreSQL text; null for NULL. If the relation has generations, the row's
 * generation is the last value.
 */
export type Cursor = readonly (string | null)[];

/** An invalid argument of a page. The message is shown to clients. */
export class PageArgumentError extends Error {
  override name = "PageArgumentError";
  readonly argument: string;

  constructor(argument: string, message: string) {
    super(message);
    this.argument = argument;
  }
}

/** The rows after this cursor are of another generation, so they do not continue its page. */
export class CursorOutOfDateError extends PageArgumentError {
  override name = "CursorOutOfDateError";
}

const hashLength = 12;

export class CursorCodec {
  readonly #secret: string;

  /** @param secret the same on all servers of a database, so that cursors are valid on each and after a restart */
  constructor(secret: string) {
    this.#secret = secret;
  }

  /** @param scope the list for which the cursor is valid: relation, order and direction */
  encode(scope: string, values: readonly unknown[]): string {
    const body = Buffer.from(JSON.stringify(values.map(toText)));
    return Buffer.concat([this.#hash(scope, body), body]).toString("base64url");
  }

  /** @throws PageArgumentError naming `argument` if the cursor is forged or of another scope */
  decode(scope: string, cursor: string, argument: string): Cursor {
    const bytes = Buffer.from(cursor, "base64url");
    const hash = bytes.subarray(0, hashLength);
    const body = bytes.subarray(hashLength);
    if (hash.length !== hashLength || !timingSafeEqual(hash, this.#hash(scope, body))) {
      throw new PageArgumentError(argument, "This cursor is invalid, or belongs to another list or order.");
    }
    return JSON.parse(body.toString()) as Cursor;
  }

  #hash(scope: string, body: Buffer): Buffer {
    return createHmac("sha256", this.#secret).update(scope).update("\0").update(body).digest().subarray(0, hashLength);
  }
}

/** Lossless for all column types: times have millisecond precision in the database, like a Date. */
function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return value instanceof Date ? value.toISOString() : String(value);
}
