/** Hashes passwords with argon2id on the thread pool, a few at a time, to limit memory and processor load. */
import * as argon2 from "@node-rs/argon2";

/** OWASP's recommendation: 19 MiB, two passes. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const maxConcurrent = 2;

/** Verified for unknown e-mail addresses, so that the response time does not reveal which accounts exist. */
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

export interface Passwords {
  /** @returns the hash in PHC format */
  hash(password: string): Promise<string>;
  /** @param expected null if the user does not exist: takes as long and returns false */
  verify(expected: string | null, password: string): Promise<boolean>;
}

/** @param library does the work; a test counts its calls */
export function argon2Passwords(library: Pick<typeof argon2, "hash" | "verify"> = argon2): Passwords {
  const inTurn = turns(maxConcurrent);
  return {
    hash: (password) => inTurn(() => library.hash(password, cost)),
    verify: (expected, password) =>
      inTurn(async () => (await library.verify(expected ?? nobodysHash, password)) && expected !== null),
  };
}

/** Runs at most `count` calls concurrently; the others wait in order. */
function turns(count: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resume) => waiting.push(resume));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
