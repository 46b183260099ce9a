/** Settings: their defaults, and what is said of wrong ones. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig, settingsOf } from "../src/config.ts";
import { UserError } from "../src/errors.ts";
import { slices } from "../src/slices.ts";
import { makeFolder } from "./support/command.ts";
import { secret } from "./support/secret.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** What the person at the keyboard is told. */
function faultsOf(environment: Record<string, string>): string {
  try {
    readConfig({ DATA_DIR: folder.path, ...environment });
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
  throw new Error("The configuration was expected to be refused.");
}

describe("settings that are absent", () => {
  it("have defaults", () => {
    const { DATA_DIR, ...config } = readConfig({ AUTH_SECRET: secret });
    expect(DATA_DIR).toBe(join(process.cwd(), ".lectern"));
    expect(config).toMatchObject({
      NODE_ENV: "development",
      HOST: "127.0.0.1",
      PORT: 4000,
      LOG_LEVEL: "info",
      LOG_FORMAT: "pretty",
      SIGN_UP: "open",
      PUBLIC_READ: false,
      ACCESS_TOKEN_SECONDS: 900,
      WRITE_CONNECTIONS: 10,
      TRANSACTION_TIMEOUT_MS: 10_000,
      READ_CONNECTIONS: 2,
      EAGER_PLAN: true,
      MAX_DOCUMENT_BYTES: 20_000_000,
      MAX_JSON_BYTES: 1_000_000,
      // 60 s, and 30 s, 5 s, 2 s and twice 10 s of an operation.
      FILE_GRACE_MS: 117_000,
      WORKERS: 1,
      WORKER_ATTEMPTS: 5,
      AUTH_SECRET: secret,
      isProduction: false,
    });
    expect([config.DATABASE_URL, config.PUBLIC_URL]).toEqual([undefined, undefined]);
  });

  it("are also those that are empty", () => {
    const empty = Object.fromEntries(Object.keys(settingsOf(slices).shape).map((name) => [name, ""]));
    const given = { AUTH_SECRET: secret, DATA_DIR: folder.path };
    expect(readConfig({ ...empty, ...given })).toEqual(readConfig(given));
    expect(faultsOf({ NODE_ENV: "production", AUTH_SECRET: "", PUBLIC_URL: "" })).toContain("AUTH_SECRET: must be set");
  });

  it("include a secret, which is made once and kept where only its owner reads it", () => {
    const path = join(folder.path, "made");
    const made = readConfig({ DATA_DIR: path }).AUTH_SECRET;
    expect(made).toMatch(/^[\w-]{43}$/);
    expect(readConfig({ DATA_DIR: path }).AUTH_SECRET).toBe(made);
    expect(statSync(join(path, "auth-secret")).mode & 0o777).toBe(0o600);
  });
});

it("are described as in the README's table", () => {
  const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| ([A-Z_]+) \| .*? \| (.*?) \|$/gm)].map(([, name, meaning]) => [name, meaning]);
  const descriptions = Object.entries(settingsOf(slices).shape).map(([name, { description }]) => [name, description]);
  expect(Object.fromEntries(descriptions)).toEqual(Object.fromEntries(rows));
});

describe("settings that are given", () => {
  it("are read as what they mean, and cannot be changed afterwards", () => {
    const config = readConfig({
      NODE_ENV: "production",
      AUTH_SECRET: secret,
      PUBLIC_URL: "https://lectern.example",
      DATABASE_URL: "postgres://someone@somewhere/lectern",
      PORT: "80",
      PUBLIC_READ: "true",
      EAGER_PLAN: "off",
      SOMETHING_ELSE: "of no concern",
    });
    expect(config).toMatchObject({ PORT: 80, PUBLIC_READ: true, EAGER_PLAN: false, LOG_FORMAT: "json" });
    expect(config.isProduction).toBe(true);
    expect(config).not.toHaveProperty("SOMETHING_ELSE");
    expect(() => Object.assign(config, { PORT: 81 })).toThrow(TypeError);
  });

  it("are refused all at once", () => {
    const message = faultsOf({
      NODE_ENV: "production",
      DATABASE_URL: "mysql://root:hunter2@localhost/lectern",
      PORT: "65536",
      PUBLIC_URL: "javascript:alert(1)",
      AUTH_SECRET: "hunter2",
      LOG_LEVEL: "hunter2",
      PUBLIC_READ: "yes",
      EAGER_PLAN: "true",
      WORKERS: "1.5",
      MAX_QUERY_DEPTH: "many",
    });
    const [summary, ...faults] = message.split("\n");
    expect(summary).toBe("The configuration has 9 fault(s):");
    expect(faults.map((fault) => fault.replace(/:.*/, "").trim()).sort()).toEqual([
      "AUTH_SECRET",
      "DATABASE_URL",
      "EAGER_PLAN",
      "LOG_LEVEL",
      "MAX_QUERY_DEPTH",
      "PORT",
      "PUBLIC_READ",
      "PUBLIC_URL",
      "WORKERS",
    ]);
    expect(message).toContain("  AUTH_SECRET: must have at least 32 characters");
    expect(message).toContain("  DATABASE_URL: must begin with postgresql://");
    // What was given may be a secret, wherever it was put by mistake.
    for (const given of ["hunter2", "alert", "65536", "many", "1.5"]) expect(message).not.toContain(given);
  });

  it.each([
    ["PORT", "-1"],
    ["PORT", "4000 or so"],
    ["WRITE_CONNECTIONS", "0"],
    ["WORKER_LEASE_MS", "999"],
    ["NODE_ENV", "prod"],
    ["SIGN_UP", "OPEN"],
    ["PUBLIC_URL", "lectern.example"],
    ["AUTH_SECRET", "x".repeat(31)],
  ])("%s=%s is refused", (name, value) => {
    expect(faultsOf({ [name]: value })).toMatch(new RegExp(`^The configuration has 1 fault\\(s\\):\n  ${name}: `));
  });

  it("leave a file the time that its operation may take", () => {
    const times = {
      UPLOAD_WAIT_MS: "1000",
      TRANSACTION_RETRY_MS: "200",
      WRITE_WAIT_MS: "30",
      TRANSACTION_TIMEOUT_MS: "100",
    };
    expect(faultsOf({ ...times, FILE_GRACE_MS: "1429" })).toContain("  FILE_GRACE_MS: must be at least 1430, or files");
    expect(readConfig({ DATA_DIR: folder.path, ...times, FILE_GRACE_MS: "1430" }).FILE_GRACE_MS).toBe(1_430);
  });

  it("must include what cannot be defaulted in production", () => {
    expect(faultsOf({ NODE_ENV: "production", PORT: "x" }).split("\n")).toEqual([
      "The configuration has 3 fault(s):",
      expect.stringMatching(/^ {2}PORT: /),
      "  AUTH_SECRET: must be set in production",
      "  PUBLIC_URL: must be set in production",
    ]);
  });

  it("must not make a server of production kill itself", () => {
    const production = { NODE_ENV: "production", AUTH_SECRET: secret, PUBLIC_URL: "https://lectern.example" };
    expect(faultsOf({ ...production, CRASH_AT: "begin" })).toContain("  CRASH_AT: is for tests, not for production");
    expect(readConfig({ DATA_DIR: folder.path, AUTH_SECRET: secret, CRASH_AT: "begin" }).CRASH_AT).toBe("begin");
  });
});

describe("the README's table", () => {
  it("lists exactly the settings that there are", () => {
    const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
    // `| NAME | default | meaning |`, and below it one row for each.
    const [, rows = ""] = /^\|[^|\n]*\|\s*default\s*\|.*\n\|[-:| ]+\n((?:\|.*\n)+)/im.exec(readme) ?? [];
    const names = rows
      .trimEnd()
      .split("\n")
      .map((row) => row.split("|")[1]?.replaceAll("`", "").trim());
    expect(names.sort()).toEqual(Object.keys(settingsOf(slices).shape).sort());
  });
});
