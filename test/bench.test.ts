/** The programs of bench/ measure what they say. How fast it is, is not tested. */
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { pipeline } from "../bench/pipeline.ts";
import { hasPython } from "../bench/stage.ts";
import { startTime } from "../bench/start-time.ts";
import { textOf } from "../bench/texts.ts";
import { turns } from "../bench/turns.ts";
import { withClient } from "../src/database/with-client.ts";
import { run } from "./support/command.ts";
import { createDatabase, databaseUrl, dropDatabase } from "./support/database.ts";

const stage = () => ({ serverUrl: inject("serverUrl"), templateName: inject("templateName") });

/** A stage on which more is there than the migrations make. */
async function stageWith(statements: string) {
  const { serverUrl, templateName } = stage();
  const name = `${templateName}_bench`;
  await createDatabase(serverUrl, name, templateName);
  onTestFinished(() => dropDatabase(serverUrl, name));
  await withClient(databaseUrl(serverUrl, name), (client) => client.query(statements));
  return { serverUrl, templateName: name };
}

describe("the figures of bench/", { timeout: 180_000 }, () => {
  it.each(["ours", ...(hasPython() ? (["python"] as const) : [])] as const)(
    "of the pipeline are of all documents that were given, and of no others: %s",
    async (kind) => {
      // Each of them is a single chunk.
      const load = { name: "tiny", count: 7, bytes: 300 };
      const { chunks } = await pipeline(stage(), { kind, processes: 1 }, load);
      expect(chunks).toBe(7);
    },
  );

  it("of the start are what the database took from the one commit to the other", async () => {
    const slow = await stageWith(`
      create function take_a_while() returns trigger language plpgsql as $$ begin perform pg_sleep(0.3); return new; end $$;
      create trigger slow before update on documents for each row when (new.status = 'PROCESSING' and old.status = 'PENDING')
        execute function take_a_while()`);
    const began = performance.now();
    const { medianMs, worstMs } = await startTime(slow, "worker in the server", 3);
    expect(medianMs).toBeGreaterThanOrEqual(300);
    expect(worstMs).toBeLessThan(performance.now() - began);
  });

  it("of turns tell what is answered from what is refused", async () => {
    const together = await turns(stage(), { QUERY_COST_TOGETHER: "10000000" }, 3, 1);
    expect(together).toMatchObject({ refused: 0 });
    expect(together.largePerSecond).toBeGreaterThan(0);
    // One at a time, and whoever comes meanwhile does not wait.
    const oneByOne = await turns(stage(), { QUERY_COST_TOGETHER: "10", QUERY_WAIT_MS: "0" }, 3, 1);
    expect(oneByOne.refused).toBeGreaterThan(0);
    expect(oneByOne.largePerSecond).toBeGreaterThan(0);
  });

  it("of turns are none where the large query is not answered", async () => {
    await expect(turns(stage(), { MAX_QUERY_COST: "100" }, 1, 1)).rejects.toThrow("The operation may read");
  });

  it("are of texts that are as long as is said, and the same each time", () => {
    for (const language of ["english", "vietnamese"] as const) {
      const text = textOf(10_000, language, 7);
      expect(Buffer.byteLength(text)).toSatisfy((bytes: number) => bytes <= 10_000 && bytes > 9_900);
      expect(textOf(10_000, language, 7)).toBe(text);
      expect(textOf(10_000, language, 8)).not.toBe(text);
    }
  });

  it("are asked for by name", async () => {
    const program = new URL("../bench/main.ts", import.meta.url).pathname;
    for (const parameters of [[], ["speed"], ["start", "0"]]) {
      expect(await run(parameters, { program })).toMatchObject({
        code: 2,
        stdout: "",
        stderr: "Usage: node bench/main.ts pipeline|start|turns|memory [RUNS]\n",
      });
    }
  });
});
