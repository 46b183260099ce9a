import { badInput } from "../errors.ts";

const longest = 1_000;

/**
 * Checks that PostgreSQL accepts the search text: it refuses NUL and lone surrogates.
 *
 * @throws ApplicationError BAD_USER_INPUT at `inputPath`
 */
export function requireSearchText(text: string, inputPath: readonly string[]): string {
  if (text.length > longest || text.includes("\0") || !text.isWellFormed()) {
    throw badInput(inputPath, `A search has at most ${longest} characters, all of them valid.`);
  }
  return text;
}
