/** As much of PostgreSQL's protocol as the proxy speaks (tcp-proxy.ts). */

/** Follows the frontend's messages: a startup message without a type, then one byte of type and four of length. */
export class StatementFinder {
  #rest = Buffer.alloc(0);
  #hasStarted = false;

  /** @param wanted tells whether one of the messages matches: a statement, or the parameters of a startup */
  find(chunk: Buffer, wanted?: RegExp): { count: number; hasCommit: boolean; hasMatch: boolean } {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let count = 0;
    let hasCommit = false;
    let hasMatch = false;
    while (data.length >= 5) {
      const head = this.#hasStarted ? 1 : 0;
      const length = data.readInt32BE(head) + head;
      if (data.length < length) break;
      const type = this.#hasStarted ? String.fromCharCode(data[0] as number) : "startup";
      this.#hasStarted = true;
      if (type === "Q" || type === "S") count++;
      if (type === "Q" || type === "P" || type === "startup") {
        const text = data.toString("latin1", 5, length);
        hasCommit ||= /(^|\0)\s*commit\s*;?\s*\0/i.test(text);
        hasMatch ||= wanted?.test(text) ?? false;
      }
      data = data.subarray(length);
    }
    this.#rest = Buffer.from(data);
    return { count, hasCommit, hasMatch };
  }
}

/** ReadyForQuery: its type, its length, and one byte for the state of the transaction. */
export function endsInReadyForQuery(chunk: Buffer): boolean {
  return chunk.subarray(-6, -1).equals(Buffer.from("Z\0\0\0\x05", "latin1"));
}

/** The last message of a backend that an administrator terminates. */
export const terminated = errorResponse({
  S: "FATAL",
  V: "FATAL",
  C: "57P01",
  M: "terminating connection due to administrator command",
});

function errorResponse(fields: Record<string, string>): Buffer {
  const body = `${Object.entries(fields)
    .map(([type, value]) => `${type}${value}\0`)
    .join("")}\0`;
  const message = Buffer.from(`E\0\0\0\0${body}`, "latin1");
  message.writeInt32BE(message.length - 1, 1);
  return message;
}
