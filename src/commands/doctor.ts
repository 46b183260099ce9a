/** Prints what `examine` finds, after `repair` if that is asked for. */
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { rowTypes } from "../database/row-types.ts";
import { inTransaction, withClient } from "../database/with-client.ts";
import type { Reader } from "../eager-loading/reader.ts";
import { raw } from "../eager-loading/sql.ts";
import { UserError } from "../errors.ts";
import { examine, type Finding, repair } from "../integrity.ts";
import { openFileStore } from "../resources.ts";
import { slices } from "../slices.ts";
import { missingRoles, withDatabase } from "./database-session.ts";

export type DoctorOptions = {
  /** Prints one JSON object. */
  json?: boolean;
  /** Mends what can be mended, and examines again. */
  repair?: boolean;
};

type Report = {
  /** False if there is a fault. */
  isSound: boolean;
  findings: Finding[];
  /** The findings before the repair that it was to mend. */
  repaired: Pick<Finding, "complaint" | "count" | "ids">[];
  missingRoles: { role: string; reason: string }[];
};

export async function doctor(options: DoctorOptions = {}): Promise<void> {
  loadEnvironmentFile();
  const report = await makeReport(options.repair === true);
  if (options.json) console.log(JSON.stringify(report));
  else print(report);
  if (!report.isSound) throw new UserError("The database holds what must never be.");
}

async function makeReport(isRepairing: boolean): Promise<Report> {
  const config = readConfig();
  const files = await openFileStore(config);
  return withDatabase(config, async (database) => {
    const examined = await withClient(database.ownerUrl, async (client) => {
      const reader: Reader = {
        read: async ({ text, values }) => (await client.query({ text, values, types: rowTypes })).rows,
      };
      await requireTables(reader);
      const { FILE_GRACE_MS: graceMs, WORKER_ATTEMPTS: maxAttempts } = config;
      const parts = { slices, reader, files, graceMs, maxAttempts };
      const findings = await examine(parts);
      if (!isRepairing) return { findings, repaired: [] };
      await repair(findings, { ...parts, write: (statements) => inTransaction(client, statements) });
      const repaired = findings
        .filter(({ count, isRepairable }) => count > 0 && isRepairable)
        .map(({ complaint, count, ids }) => ({ complaint, count, ids }));
      return { findings: await examine(parts), repaired };
    });
    const isSound = examined.findings.every(({ isFault, count }) => !isFault || count === 0);
    return { isSound, ...examined, missingRoles: await missingRoles(database) };
  });
}

async function requireTables(reader: Reader): Promise<void> {
  const [found] = await reader.read(raw("select to_regclass('outbox') is not null as any"));
  if (!found?.any) throw new UserError("The database has no tables yet: run `migrate` first.");
}

function print({ findings, repaired, missingRoles }: Report): void {
  for (const { complaint, count } of repaired) console.log(`done ${count} ${complaint}`);
  for (const { complaint, count, isFault, ids, advice } of findings) {
    console.log(`${count === 0 ? "ok  " : isFault ? "BAD " : "note"} ${count} ${complaint}`);
    if (count === 0) continue;
    console.log(`     ${advice ?? "Run `doctor --repair`."}`);
    console.log(`     ${ids.join(", ")}${ids.length < count ? " …" : ""}`);
  }
  // Everything works without the roles, but a bug of the program could do more harm.
  for (const { role, reason } of missingRoles) console.log(`note no connection works as ${role}: ${reason}`);
}
