/**
 * All uses of pg's private properties, to be checked when pg is upgraded. Every client is a `pg.Client`, although the
 * type of a pool's clients hides that.
 */
import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type pg from "pg";

type Internals = {
  /** The protocol below the client. It emits each message of the database under its name. */
  connection: EventEmitter & { stream: Socket };
  /** Process id of the PostgreSQL backend, which error messages about collisions contain. */
  processID: number;
  /** True from the call of `end()` on. */
  _ending: boolean;
};

const internalsOf = (client: pg.ClientBase) => client as pg.ClientBase & Internals;

export const streamOf = (client: pg.ClientBase): Socket => internalsOf(client).connection.stream;

export const processIdOf = (client: pg.ClientBase): number => internalsOf(client).processID;

export const isEnding = (client: pg.ClientBase): boolean => internalsOf(client)._ending;

/** Calls the listener with every error message of the database, before pg converts it into an Error. */
export function onDatabaseError(client: pg.ClientBase, listener: (message: { detail?: string }) => void): void {
  internalsOf(client).connection.on("errorMessage", listener);
}
