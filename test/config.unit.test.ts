import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadEnvironmentFile, readConfig, readPassword } from "../src/config.ts";
import { UserError } from "../src/errors.ts";
import { whole } from "../src/settings.ts";
import { secret } from "./support/secret.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lectern-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const configOf = (environment: Record<string, string>) =>
  readConfig({ DATA_DIR: folder, AUTH_SECRET: secret, ...environment }, []);
function faultOf(environment: Record<string, string>): string | undefined {
  try {
    configOf(environment);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
}

describe("the configuration", () => {
  it("names the folder of the files", () => {
    expect(configOf({}).filesDir).toBe(join(folder, "files"));
  });

  it("allows a crash in tests only, not in production", () => {
    const production = { NODE_ENV: "production", PUBLIC_URL: "https://lectern.test", CRASH_AT: "begin" };
    expect(faultOf(production)).toBe("The configuration has 1 fault(s):\n  CRASH_AT: is for tests, not for production");
    expect(configOf({ NODE_ENV: "test", CRASH_AT: "begin" }).CRASH_AT).toBe("begin");
  });

  it("allows a short life of files in tests only", () => {
    expect(configOf({ NODE_ENV: "test", FILE_GRACE_MS: "1" }).FILE_GRACE_MS).toBe(1);
    expect(faultOf({ FILE_GRACE_MS: "1" })).toBe(
      "The configuration has 1 fault(s):\n  FILE_GRACE_MS: must be at least 57000, or files go while operations with them wait or are retried",
    );
  });

  it("refuses addresses of stores that are wrong, without repeating them", () => {
    const faults = (environment: Record<string, string>) => faultOf(environment)?.split("\n  ").slice(1);
    expect(faults({ STORAGE_URL: "s3://Bucket_" })).toEqual([
      "STORAGE_URL: must begin with s3:// and the name of a bucket: 3 to 63 lower-case letters, digits, dots, hyphens",
    ]);
    expect(faults({ STORAGE_URL: "https://bucket" })).toEqual(["STORAGE_URL: must begin with s3://"]);
    const half = "AWS_ACCESS_KEY_ID: needs AWS_SECRET_ACCESS_KEY, and the other way round";
    expect(faults({ STORAGE_URL: "s3://bucket", AWS_ACCESS_KEY_ID: "id" })).toEqual([half]);
    expect(faults({ STORAGE_URL: "s3://bucket", AWS_SECRET_ACCESS_KEY: "secret" })).toEqual([half]);
    expect(faults({ STORAGE_DELIVERY: "redirect" })).toEqual([
      "STORAGE_DELIVERY: redirect needs STORAGE_URL, since a local folder has no addresses",
    ]);
    // Other programs' variables are no faults while there is no such store.
    expect(faults({ AWS_ACCESS_KEY_ID: "id" })).toBeUndefined();
    expect(faults({ STORAGE_URL: "s3://bucket", STORAGE_DELIVERY: "redirect" })).toBeUndefined();
  });

  it("tells how old a file may be that an operation names", () => {
    expect(configOf({}).fileMarginMs).toBe(60_000);
    expect(configOf({ FILE_GRACE_MS: "57000" }).fileMarginMs).toBe(0);
    expect(configOf({ FILE_GRACE_MS: "60000", TRANSACTION_TIMEOUT_MS: "9000" }).fileMarginMs).toBe(5_000);
    expect(configOf({ NODE_ENV: "test", FILE_GRACE_MS: "1" }).fileMarginMs).toBe(0);
  });

  it("makes its secret without leaving anything else behind", () => {
    const data = join(folder, "made");
    readConfig({ DATA_DIR: data }, []);
    expect(readdirSync(data)).toEqual(["auth-secret"]);
  });

  it("is refused if its folder cannot be written", () => {
    const file = join(folder, "a-file");
    writeFileSync(file, "");
    expect(() => readConfig({ DATA_DIR: join(file, "data") }, [])).toThrow(UserError);
    expect(() => readConfig({ DATA_DIR: join(file, "data") }, [])).toThrow(
      new RegExp(`^DATA_DIR ${join(file, "data")} cannot be written: ENOTDIR`),
    );
  });
});

describe("a setting", () => {
  it("that is a whole number has two bounds", () => {
    expect([whole(2, 4).parse("2"), whole(2, 4).parse("4")]).toEqual([2, 4]);
    for (const value of ["1", "5", "2.5", "x", "-3"]) expect(whole(2, 4).safeParse(value).success).toBe(false);
  });

  it("is switched by words", () => {
    const { EAGER_PLAN, PUBLIC_READ } = configOf({ EAGER_PLAN: "on", PUBLIC_READ: "true" });
    expect([EAGER_PLAN, PUBLIC_READ]).toEqual([true, true]);
    const off = configOf({ EAGER_PLAN: "off", PUBLIC_READ: "false" });
    expect([off.EAGER_PLAN, off.PUBLIC_READ]).toEqual([false, false]);
  });
});

describe("the password of `user create`", () => {
  it("is a variable of the environment, and none if it is empty", () => {
    expect(readPassword({ LECTERN_PASSWORD: "correct horse" })).toBe("correct horse");
    expect(readPassword({ LECTERN_PASSWORD: "" })).toBeUndefined();
    expect(readPassword({})).toBeUndefined();
  });
});

describe("a file of variables", () => {
  it("adds to the environment, which takes precedence", () => {
    const path = join(folder, "variables");
    writeFileSync(path, "LECTERN_UNIT_ONE=file\nLECTERN_UNIT_TWO=file\n");
    process.env.LECTERN_UNIT_TWO = "environment";
    try {
      loadEnvironmentFile(path);
      expect([process.env.LECTERN_UNIT_ONE, process.env.LECTERN_UNIT_TWO]).toEqual(["file", "environment"]);
    } finally {
      delete process.env.LECTERN_UNIT_ONE;
      delete process.env.LECTERN_UNIT_TWO;
    }
  });

  it("need not exist", () => {
    const missing = join(folder, "missing");
    expect(existsSync(missing)).toBe(false);
    expect(() => loadEnvironmentFile(missing)).not.toThrow();
  });
});
