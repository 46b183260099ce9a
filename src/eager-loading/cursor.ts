/**
 * Cursors: the place of a row in an order, as the row's own values. They hold although their row is deleted, cannot
 * be forged (they carry a keyed hash), and are refused by any other relation or order.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * The values of the order's columns, as PostgreSQL reads them from text; null for NULL. Where pages belong to a
 * generation, the row's generation follows them.
 */
export type Cursor = readonly (string | null)[];

/** An argument of a page that cannot be: says which, in words for the API's user. */
export class PageArgumentError extends Error {
  override name = "PageArgumentError";
  readonly argument: string;

  constructor(argument: string, message: string) {
    super(message);
    this.argument = argument;
  }
}

/** The rows that the cursor belongs to have been replaced: what lies beyond it now is no continuation. */
export class CursorOutOfDateError extends PageArgumentError {
  override name = "CursorOutOfDateError";
}

const hashLength = 12;

export class CursorCodec {
  readonly #secret: string;

  /** @param secret the same on every server of one database, so that cursors hold across restarts and instances */
  constructor(secret: string) {
    this.#secret = secret;
  }

  /** @param place what the cursor belongs to: relation, order and direction */
  encode(place: string, values: readonly unknown[]): string {
    const body = Buffer.from(JSON.stringify(values.map(toText)));
    return Buffer.concat([this.#hash(place, body), body]).toString("base64url");
  }

  /** @throws PageArgumentError naming `argument` when the cursor was not made here for this place */
  decode(place: string, cursor: string, argument: string): Cursor {
    const bytes = Buffer.from(cursor, "base64url");
    const hash = bytes.subarray(0, hashLength);
    const body = bytes.subarray(hashLength);
    if (hash.length !== hashLength || !timingSafeEqual(hash, this.#hash(place, body))) {
      throw new PageArgumentError(argument, "This cursor was not made here, or belongs to another list or order.");
    }
    return JSON.parse(body.toString()) as Cursor;
  }

  #hash(place: string, body: Buffer): Buffer {
    return createHmac("sha256", this.#secret).update(place).update("\0").update(body).digest().subarray(0, hashLength);
  }
}

/** Exact for every type that rows hold: times have three decimals in the database, as in a Date. */
function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return value instanceof Date ? value.toISOString() : String(value);
}
