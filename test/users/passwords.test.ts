/** Hashing, by the real library, whose calls are counted. */
import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { Passwords } from "../../src/users/passwords.ts";

type Call = (...parameters: unknown[]) => Promise<unknown>;
type Library = { hash: Call; verify: Call };

const library = createRequire(import.meta.url)("@node-rs/argon2") as Library;
const real = { ...library };
/** Hashes that `verify` was given, in order. */
let verified: string[] = [];
/** Calls of the library under way, the highest number of them, and how many there were. */
let [underWay, most, calls] = [0, 0, 0];
/** Takes the place of the library's work. */
let instead: (() => Promise<unknown>) | undefined;

function counting(name: keyof Library): Call {
  return async (...parameters) => {
    calls++;
    most = Math.max(most, ++underWay);
    if (name === "verify") verified.push(parameters[0] as string);
    try {
      return await (instead?.() ?? real[name](...parameters));
    } finally {
      underWay--;
    }
  };
}

// Names that a module imports from this library are bound when it is loaded, so they are replaced before.
Object.assign(library, { hash: counting("hash"), verify: counting("verify") });
const { argon2Passwords } = await import("../../src/users/passwords.ts");

afterEach(() => {
  instead = undefined;
  verified = [];
  [underWay, most, calls] = [0, 0, 0];
});

/** Algorithm, version and cost of a hash in PHC format, without salt and digest. */
const costOf = (hash: string | undefined) => hash?.split("$").slice(1, 4);

describe("a password", () => {
  it("is right for its own hash only, which no other password and no other hash has", async () => {
    const passwords = argon2Passwords();
    const [hash, other] = [await passwords.hash("a good password"), await passwords.hash("a good password")];
    expect(costOf(hash)).toEqual(["argon2id", "v=19", "m=19456,t=2,p=1"]);
    expect(other).not.toBe(hash);
    expect(await passwords.verify(hash, "a good password")).toBe(true);
    expect(await passwords.verify(hash, "A good password")).toBe(false);
  });

  it("of nobody costs as much as that of a user, and is always wrong", async () => {
    const passwords = argon2Passwords();
    expect(await passwords.verify(null, "a good password")).toBe(false);
    expect(verified.map(costOf)).toEqual([costOf(await passwords.hash("a good password"))]);
    // Were the password of the hash that stands for nobody ever found, it would still open no account.
    instead = async () => true;
    expect(await passwords.verify(null, "a good password")).toBe(false);
  });
});

describe("hashing", () => {
  it.each<[string, (passwords: Passwords, index: number) => Promise<unknown>]>([
    ["hash", (passwords) => passwords.hash("a good password")],
    ["verify", (passwords) => passwords.verify("a hash", "a good password")],
    ["verify for nobody", (passwords) => passwords.verify(null, "a good password")],
    ["hash or verify", (passwords, index) => (index % 2 ? passwords.hash("a") : passwords.verify("a hash", "a"))],
  ])("never has more than two under way, when 200 %s at once", async (_name, work) => {
    const passwords = argon2Passwords();
    // All calls that may begin have begun by then.
    instead = () => new Promise((resolve) => setImmediate(resolve, true));
    await Promise.all(Array.from({ length: 200 }, (_, index) => work(passwords, index)));
    expect({ most, calls }).toEqual({ most: 2, calls: 200 });
  });

  it("goes on after failures", async () => {
    const passwords = argon2Passwords();
    const ten = () => Promise.allSettled(Array.from({ length: 10 }, () => passwords.hash("a good password")));
    instead = () => Promise.reject(new Error("No memory."));
    const failed = await Promise.race([ten(), delay(5_000)]);
    expect(failed?.map(({ status }) => status)).toEqual(Array(10).fill("rejected"));
    instead = async () => "a hash";
    expect(await Promise.race([ten(), delay(5_000)])).toEqual(Array(10).fill({ status: "fulfilled", value: "a hash" }));
  });
});
