/** Passwords: argon2id on the thread pool, a few at a time, so that sign-ins cannot take memory or the event loop. */
import { hash, verify } from "@node-rs/argon2";

/** OWASP's first choice: 19 MiB, two passes. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const maxAtOnce = 2;

/** Checked when nobody has the e-mail, so that the time of the answer does not tell who has an account. */
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

export interface Passwords {
  /** @returns the hash in PHC format */
  hash(password: string): Promise<string>;
  /** @param expected null when there is no such user: takes as long and answers false */
  verify(expected: string | null, password: string): Promise<boolean>;
}

export function argon2Passwords(): Passwords {
  const inTurn = turns(maxAtOnce);
  return {
    hash: (password) => inTurn(() => hash(password, cost)),
    verify: (expected, password) =>
      inTurn(async () => (await verify(expected ?? nobodysHash, password)) && expected !== null),
  };
}

/** At most `count` at once; the others wait in order. */
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
