/** The only reader of the environment. Checks all settings, including those of the slices, and reports all errors at once. */
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { UserError } from "./errors.ts";
import { type Config, type CoreValues, coreSettings, type Settings, type SliceSettings } from "./settings.ts";
import { slices } from "./slices.ts";
import { isS3Url, parseS3Address } from "./storage/s3-address.ts";

/** All settings, with defaults and descriptions. */
export function settingsOf(from: readonly { settings?: Settings }[]) {
  const own: Settings = Object.assign({}, ...from.map(({ settings }) => settings));
  // The slices declare the types of their settings (SliceSettings).
  return z.object({ ...coreSettings, ...own } as typeof coreSettings);
}

/**
 * @throws UserError that lists every fault; values are not repeated, since they may be secret
 */
export function readConfig(
  environment: NodeJS.ProcessEnv = process.env,
  from: readonly { settings?: Settings }[] = slices,
): Config {
  const settings = settingsOf(from);
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = settings.safeParse(present);
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  if (present.NODE_ENV === "production") {
    for (const name of ["AUTH_SECRET", "PUBLIC_URL"]) {
      if (present[name] === undefined) faults.push(`${name}: must be set in production`);
    }
    if (present.CRASH_AT !== undefined) faults.push("CRASH_AT: is for tests, not for production");
  }
  faults.push(...storageFaults(present));
  // Tests need shorter times.
  if (parsed.data?.FILE_GRACE_MS !== undefined && parsed.data.NODE_ENV !== "test") {
    const least = longestOperationMs(parsed.data);
    if (parsed.data.FILE_GRACE_MS < least) {
      faults.push(
        `FILE_GRACE_MS: must be at least ${least}, or files go while operations with them wait or are retried`,
      );
    }
  }
  if (!parsed.success || faults.length > 0) {
    throw new UserError(
      `The configuration has ${faults.length} fault(s):\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
    );
  }
  const values = parsed.data as CoreValues & SliceSettings;
  const isProduction = values.NODE_ENV === "production";
  const dataDir = resolve(values.DATA_DIR);
  const longestMs = longestOperationMs(values);
  const graceMs = values.FILE_GRACE_MS ?? 60_000 + longestMs;
  return Object.freeze({
    ...values,
    DATA_DIR: dataDir,
    AUTH_SECRET: values.AUTH_SECRET ?? readOrMakeSecret(dataDir),
    LOG_FORMAT: values.LOG_FORMAT ?? (isProduction ? "json" : "pretty"),
    isProduction,
    FILE_GRACE_MS: graceMs,
    filesDir: join(dataDir, "files"),
    fileMarginMs: Math.max(0, graceMs - longestMs),
  });
}

/** Time from a file's last byte to the end of its operation: the last attempt may begin late and end with an unknown outcome. */
function longestOperationMs(values: CoreValues): number {
  const { UPLOAD_WAIT_MS, TRANSACTION_RETRY_MS, WRITE_WAIT_MS, TRANSACTION_TIMEOUT_MS } = values;
  return UPLOAD_WAIT_MS + TRANSACTION_RETRY_MS + WRITE_WAIT_MS + 2 * TRANSACTION_TIMEOUT_MS;
}

function storageFaults(present: Partial<Record<string, unknown>>): string[] {
  const { STORAGE_URL: url, AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = present;
  const faults: string[] = [];
  if (typeof url === "string" && isS3Url(url)) {
    try {
      parseS3Address(url);
    } catch (error) {
      faults.push(`STORAGE_URL: ${(error as Error).message}`);
    }
    if ((id === undefined) !== (secret === undefined)) {
      faults.push("AWS_ACCESS_KEY_ID: needs AWS_SECRET_ACCESS_KEY, and the other way round");
    }
  }
  if (present.STORAGE_DELIVERY === "redirect" && url === undefined) {
    faults.push("STORAGE_DELIVERY: redirect needs STORAGE_URL, since a local folder has no addresses");
  }
  return faults;
}

/** The password for `user create`. Not a setting, since only one command uses it. */
export function readPassword(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return environment.LECTERN_PASSWORD || undefined;
}

/** Adds the variables of `.env`, if the file exists. Variables of the environment take precedence. */
export function loadEnvironmentFile(path = ".env"): void {
  if (existsSync(path)) process.loadEnvFile(path);
}

function readOrMakeSecret(dataDir: string): string {
  const path = join(dataDir, "auth-secret");
  if (existsSync(path)) return readFileSync(path, "utf8").trim();
  const secret = randomBytes(32).toString("base64url");
  try {
    mkdirSync(dataDir, { recursive: true });
    // The link is atomic: of two concurrent processes, the first creates the secret for both.
    const draft = `${path}.${process.pid}`;
    try {
      writeFileSync(draft, `${secret}\n`, { mode: 0o600 });
      linkSync(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST" && existsSync(path)) return readOrMakeSecret(dataDir);
    throw new UserError(`DATA_DIR ${dataDir} cannot be written: ${(error as Error).message}`);
  }
  return secret;
}
