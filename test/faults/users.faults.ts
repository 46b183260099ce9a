import type { Fault } from "./fault.ts";

export const faults: Fault[] = [
  {
    name: "a revoked session is accepted",
    file: "src/users/authentication.ts",
    replace: { "and s.revoked_at is null": "" },
    tests: ["test/users/accounts.test.ts"],
  },
  {
    name: "no hash is made for an unknown e-mail",
    file: "src/users/passwords.ts",
    replace: {
      "(await library.verify(expected ?? nobodysHash, password)) && expected !== null":
        "expected !== null && (await library.verify(expected ?? nobodysHash, password))",
    },
    tests: ["test/users/passwords.test.ts"],
  },
  {
    name: "the hash for an unknown e-mail is cheaper",
    file: "src/users/passwords.ts",
    replace: { "$argon2id$v=19$m=19456,t=2,p=1$": "$argon2id$v=19$m=8,t=1,p=1$" },
    tests: ["test/users/passwords.test.ts"],
  },
  {
    name: "hashes cost more than the one for an unknown e-mail",
    file: "src/users/passwords.ts",
    replace: { "timeCost: 2": "timeCost: 3" },
    tests: ["test/users/passwords.test.ts"],
  },
  {
    name: "the password of nobody's hash is right",
    file: "src/users/passwords.ts",
    replace: {
      "(await library.verify(expected ?? nobodysHash, password)) && expected !== null":
        "library.verify(expected ?? nobodysHash, password)",
    },
    tests: ["test/users/passwords.test.ts"],
  },
  {
    name: "200 hashes are made at once",
    file: "src/users/passwords.ts",
    replace: { "const maxConcurrent = 2": "const maxConcurrent = 200" },
    tests: ["test/users/passwords.test.ts"],
  },
  {
    name: "verifying does not wait for its turn",
    file: "src/users/passwords.ts",
    replace: {
      "inTurn(async () => (await library.verify(expected ?? nobodysHash, password)) && expected !== null)":
        "library.verify(expected ?? nobodysHash, password).then((isRight) => isRight && expected !== null)",
    },
    tests: ["test/users/passwords.test.ts"],
  },
  {
    name: "hashing and verifying have turns of their own",
    file: "src/users/passwords.ts",
    replace: { "hash: (password) => inTurn(": "hash: (password) => turns(maxConcurrent)(" },
    tests: ["test/users/passwords.test.ts"],
  },
  {
    name: "a hash that fails keeps its turn",
    file: "src/users/passwords.ts",
    replace: {
      "try { return await work(); } finally {": "const result = await work(); {",
      "else free++; }": "else free++; } return result;",
    },
    tests: ["test/users/passwords.test.ts"],
  },
  {
    name: "issuer and audience of tokens are not checked",
    file: "src/users/tokens.ts",
    replace: { "issuer: this.#issuer, audience: this.#issuer, });": "});" },
    tests: ["test/users/tokens.test.ts"],
  },
  {
    name: "the issuer of tokens is not checked",
    file: "src/users/tokens.ts",
    replace: { "issuer: this.#issuer, audience": "audience" },
    tests: ["test/users/tokens.test.ts"],
  },
  {
    name: "the audience of tokens is not checked",
    file: "src/users/tokens.ts",
    replace: { "audience: this.#issuer, });": "});" },
    tests: ["test/users/tokens.test.ts"],
  },
  {
    name: "the type of tokens is not checked",
    file: "src/users/tokens.ts",
    replace: { 'typ: "at+jwt", issuer': "issuer" },
    tests: ["test/users/tokens.test.ts"],
  },
  {
    name: "tokens are issued for a fixed address",
    file: "src/users/user.slice.ts",
    replace: { "issuer: publicUrl": 'issuer: "lectern"' },
    tests: ["test/users/accounts.test.ts"],
  },
  {
    name: "no password is verified for an unknown e-mail",
    file: "src/users/user.service.ts",
    replace: {
      "input.password.length <= longestPassword &&": "hash !== null && input.password.length <= longestPassword &&",
    },
    tests: ["test/users/user.service.test.ts"],
  },
];
