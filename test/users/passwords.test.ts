/** Hashing, by the real library, whose calls are counted. */
import { setTimeout as delay } from "node:timers/promises";
import * as argon2 from "@node-rs/argon2";
import { afterEach, describe, expect, it } from "vitest";
import { argon2Passwords, type Passwords } from "../../src/users/passwords.ts";

/** Hashes that `verify` was given, in order. */
let verified: string[] = [];
/** Calls of the library under way, the highest number of them, and how many there were. */
let [underWay, most, calls] = [0, 0, 0];
/** Takes the place of the library's work. */
let instead: (() => Promise<unknown>) | undefined;

async function counted<Result>(work: () => Promise<Result>): Promise<Result> {
  calls++;
  most = Math.max(most, ++underWay);
  try {
    return (await (instead ?? work)()) as Result;
  } finally {
    underWay--;
  }
}

const passwords = argon2Passwords({
  hash: (...parameters) => counted(() => argon2.hash(...parameters)),
  verify: (...parameters) => {
    verified.push(String(parameters[0]));
    return counted(() => argon2.verify(...parameters));
  },
});

afterEach(() => {
  instead = undefined;
  verified = [];
  [underWay, most, calls] = [0, 0, 0];
});

/** Algorithm, version and cost of a hash in PHC format, without salt and digest. */
const costOf = (hash: string | undefined) => hash?.split("$").slice(1, 4);

describe("a password", () => {
  it("is right for its own hash only, which no other password and no other hash has", async () => {
    const [hash, other] = [await passwords.hash("a good password"), await passwords.hash("a good password")];
    expect(costOf(hash)).toEqual(["argon2id", "v=19", "m=19456,t=2,p=1"]);
    expect(other).not.toBe(hash);
    expect(await passwords.verify(hash, "a good password")).toBe(true);
    expect(await passwords.verify(hash, "A good password")).toBe(false);
  });

  it("of nobody costs as much as that of a user, and is always wrong", async () => {
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
    // All calls that may begin have begun by then.
    instead = () => new Promise((resolve) => setImmediate(resolve, true));
    await Promise.all(Array.from({ length: 200 }, (_, index) => work(passwords, index)));
    expect({ most, calls }).toEqual({ most: 2, calls: 200 });
  });

  it("goes on after failures", async () => {
    const ten = () => Promise.allSettled(Array.from({ length: 10 }, () => passwords.hash("a good password")));
    instead = () => Promise.reject(new Error("No memory."));
    const failed = await Promise.race([ten(), delay(5_000)]);
    expect(failed?.map(({ status }) => status)).toEqual(Array(10).fill("rejected"));
    instead = async () => "a hash";
    expect(await Promise.race([ten(), delay(5_000)])).toEqual(Array(10).fill({ status: "fulfilled", value: "a hash" }));
  });
});
