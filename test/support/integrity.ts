import { inTransaction, withClient } from "../../src/database/with-client.ts";
import { examine, type Finding, type IntegrityParts, repair } from "../../src/integrity.ts";
import type { Lectern } from "./lectern.ts";

/** What `doctor` calls, on the Lectern of a test. */
export function integrityOf({ application, config, database }: Lectern, options: Partial<IntegrityParts> = {}) {
  const parts = {
    slices: application.slices,
    reader: { read: ({ text, values }) => database.query(text, values as unknown[]) },
    files: application.files,
    graceMs: config.FILE_GRACE_MS,
    maxAttempts: config.WORKER_ATTEMPTS,
    ...options,
  } satisfies IntegrityParts;
  const write = (statements: readonly string[]) =>
    withClient(database.url, (client) => inTransaction(client, statements));
  return { examine: () => examine(parts), repair: (findings: Finding[]) => repair(findings, { ...parts, write }) };
}

/** The numbers of what was found, by complaint; without those that are 0. */
export const countsIn = (findings: readonly Finding[]): Record<string, number> =>
  Object.fromEntries(findings.filter(({ count }) => count > 0).map(({ complaint, count }) => [complaint, count]));
