/** Refusals by triggers, for all programs alike: the SQL function `refuse` raises them (LT004). */
import { ApplicationError, type ErrorCode } from "../errors.ts";
import { jsonOfState } from "./sql-errors.ts";

/** The refusal as the API states it, with ids of the database in its details; undefined if the error is another one. */
export function refusalOf(error: unknown): ApplicationError | undefined {
  const refusal = jsonOfState(error, "LT004");
  if (!refusal) return undefined;
  const { code, message, ...details } = refusal;
  return new ApplicationError(code as ErrorCode, String(message), details, error);
}
