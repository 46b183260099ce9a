import { ApplicationError } from "../../src/errors.ts";

/** The code, message and details of the error with which the work is refused. */
export function refusalOf(work: () => unknown): Record<string, unknown> {
  try {
    return { accepted: work() };
  } catch (error) {
    if (!(error instanceof ApplicationError)) throw error;
    return { code: error.code, message: error.message, ...error.details };
  }
}
