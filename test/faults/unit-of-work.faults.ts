import type { Fault } from "./fault.ts";

const idempotency = ["test/unit-of-work/idempotency.test.ts"];
const fields = ["test/unit-of-work/fields.test.ts"];
const late = ["test/unit-of-work/late-statements.test.ts"];

export const faults: Fault[] = [
  {
    name: "effects of a commit run before COMMIT",
    file: "src/unit-of-work/attempt.ts",
    replace: {
      'await this.#state.probe("after_commit"); await this.#runEffects(this.#commitEffects);':
        'await this.#state.probe("after_commit");',
      "this.#verdict.resolve(); try {": "await this.#runEffects(this.#commitEffects); this.#verdict.resolve(); try {",
    },
    tests: fields,
  },
  {
    name: "effects of an abort run before ROLLBACK",
    file: "src/unit-of-work/attempt.ts",
    replace: {
      '} else if (outcome.kind !== "unknown") { await this.#runEffects(this.#abortEffects); }': "}",
      "} catch (error) { await this.#rollBack(error);":
        "} catch (error) { await this.#runEffects(this.#abortEffects); await this.#rollBack(error);",
    },
    tests: fields,
  },
  {
    name: "a rollback is not waited for",
    file: "src/unit-of-work/attempt.ts",
    replace: { "await this.#ended.catch(() => {});": "this.#ended.catch(() => {});" },
    tests: ["test/unit-of-work/faults.test.ts"],
  },
  {
    name: "effects of an abort run although the outcome is unknown",
    file: "src/unit-of-work/attempt.ts",
    replace: { '} else if (outcome.kind !== "unknown") {': "} else {" },
    tests: ["test/unit-of-work/faults.test.ts"],
  },
  {
    name: "a statement that fails is not known at COMMIT when nobody waits for it",
    file: "src/unit-of-work/transaction-guard.ts",
    replace: { "if (state.failure === undefined) return result;": "return result;" },
    tests: late,
  },
  {
    name: "a statement that failed before COMMIT does not hinder it",
    file: "src/unit-of-work/transaction-guard.ts",
    replace: {
      "const obstacle = state.abandoned ?? state.failure;": "const obstacle = state.abandoned;",
      "if (state.failure === undefined) return result;": "return result;",
      "throw obstacle ?? state.failure;": "throw obstacle;",
    },
    tests: late,
  },
  {
    name: "a transaction that could not commit takes its connection along",
    file: "src/unit-of-work/transaction-guard.ts",
    replace: { 'await execute({ sql: "ROLLBACK", args: [], argTypes: [] });': "" },
    tests: late,
  },
  {
    name: "the user is dropped from the key of an idempotent answer",
    file: "src/unit-of-work/idempotency-keys.ts",
    replace: {
      "from idempotency_keys where user_id = ${userId}::uuid and key = ${name}":
        "from idempotency_keys where ${userId}::uuid is not null and key = ${name}",
    },
    tests: idempotency,
  },
  {
    name: "an answer is stored for all users of the key",
    file: "src/unit-of-work/idempotency-keys.ts",
    replace: {
      "answer = ${answer} where user_id = ${userId}::uuid and key":
        "answer = ${answer} where ${userId}::uuid is not null and key",
    },
    tests: idempotency,
  },
  {
    name: "a key of another request is answered",
    file: "src/unit-of-work/idempotency-keys.ts",
    replace: { "if (stored.requestHash !== requestHash)": "if (stored.requestHash === null)" },
    tests: idempotency,
  },
  {
    name: "staged files are discarded when the outcome is unknown",
    file: "src/unit-of-work/runner.ts",
    replace: {
      'if (outcome.kind === "aborted") await discard(preparations, parts.logger);':
        "await discard(preparations, parts.logger);",
    },
    tests: ["test/unit-of-work/faults.test.ts"],
  },
  {
    name: "effects after the end of an operation run only if it failed",
    file: "src/unit-of-work/runner.ts",
    replace: {
      "} finally { for (const effect of endEffects) effect(); }":
        "} catch (error) { for (const effect of endEffects) effect(); throw error; }",
    },
    tests: ["test/uploads/uploads.test.ts"],
  },
];
