/** The holder of a row of a queue, for the log. */
import type { ApplicationError } from "../errors.ts";

type QueuedRow = {
  id: string;
  status: string;
  attempts: number;
  claimedBy: string | null;
  claimToken: string | null;
};

/** Adds the row's holder to the error for the log, in the format of the notice for workers. */
export function withHolder<Failure extends ApplicationError>(noun: string, row: QueuedRow, error: Failure): Failure {
  const { id, status, attempts, claimedBy, claimToken } = row;
  const claimant = claimToken === null ? "nobody" : `worker ${claimedBy} with claim ${claimToken}`;
  const progress = claimToken === null ? `after ${attempts} attempt(s)` : `in attempt ${attempts}`;
  error.holder = `${noun} ${id} is ${status} ${progress}, claimed by ${claimant}`;
  return error;
}
