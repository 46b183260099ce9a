/**
 * What this program uses of pg beyond its types: all in one place, to be looked at when pg is upgraded. Every client is
 * a `pg.Client`, also those of a pool, whose type tells less of them.
 */
import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type pg from "pg";

type Internals = {
  /** The protocol below the client. It emits each message of the database under its name. */
  connection: EventEmitter & { stream: Socket };
  /** Of the database's process that serves the connection; it stands in what PostgreSQL says of collisions. */
  processID: number;
  /** True from the call of `end()` on. */
  _ending: boolean;
};

const internalsOf = (client: pg.ClientBase) => client as pg.ClientBase & Internals;

export const streamOf = (client: pg.ClientBase): Socket => internalsOf(client).connection.stream;

export const processIdOf = (client: pg.ClientBase): number => internalsOf(client).processID;

export const isEnding = (client: pg.ClientBase): boolean => internalsOf(client)._ending;

/** Tells the listener of every error that the database reports, before pg makes an Error of it. */
export function onDatabaseError(client: pg.ClientBase, listener: (message: { detail?: string }) => void): void {
  internalsOf(client).connection.on("errorMessage", listener);
}
