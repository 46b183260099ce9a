/** The command line of the figures in bench/README.md: `node bench/main.ts pipeline|start|turns|memory [RUNS]`. */
import { cpus } from "node:os";
import { withClient } from "../src/database/with-client.ts";
import { uploadMemory, workerMemory } from "./memory.ts";
import { type Crew, type Load, pipeline } from "./pipeline.ts";
import { hasPython, type Stage, withStage } from "./stage.ts";
import { type Starter, startTime } from "./start-time.ts";
import { turns } from "./turns.ts";

const small: Load = { name: "1,000 texts of 2 kB", count: 1_000, bytes: 2_000 };
const large: Load = { name: "4 texts of 5 MB", count: 4, bytes: 5_000_000 };
const startedDocuments = 200;
const turnsClients = 64;
const turnsSeconds = 10;

const figures: Record<string, (stage: Stage, runs: number) => Promise<void>> = {
  async pipeline(stage, runs) {
    for (const load of [small, large]) {
      const crews = [1, 2].flatMap((processes): Crew[] => [
        { kind: "ours", processes },
        ...(hasPython() ? [{ kind: "python" as const, processes }] : []),
      ]);
      const results = await interleaved(runs, crews, (crew) => pipeline(stage, crew, load));
      const first = median(results[0]?.map(({ seconds }) => seconds) ?? []);
      print(
        load.name,
        crews.map(({ kind, processes }, index) => {
          const seconds = results[index]?.map((result) => result.seconds) ?? [];
          const middle = median(seconds);
          return {
            workers: `${processes} × ${kind}`,
            "documents/s": round(load.count / middle),
            "MB/s": round((load.count * load.bytes) / 1e6 / middle),
            chunks: results[index]?.[0]?.chunks,
            "speed, relative to the first": round(first / middle),
            "s, each run": seconds.map(round).join(" "),
          };
        }),
      );
    }
  },

  async start(stage, runs) {
    const starters: Starter[] = ["worker process", "worker in the server"];
    if (hasPython()) starters.push("worker in Python");
    const results = await interleaved(runs, starters, (starter) => startTime(stage, starter, startedDocuments));
    print(
      `from NOTIFY to start, ${startedDocuments} documents one after the other`,
      starters.map((starter, index) => ({
        "claimed by a": starter,
        "median, ms": median(results[index]?.map(({ medianMs }) => medianMs) ?? []),
        "p99, ms": median(results[index]?.map(({ p99Ms }) => p99Ms) ?? []),
        "p99 of each run": results[index]?.map(({ p99Ms }) => p99Ms).join(" "),
      })),
    );
  },

  async turns(stage, runs) {
    const cases: Record<string, Record<string, string>> = {
      "all at once": { QUERY_COST_TOGETHER: "10000000", MAX_EVENT_LOOP_DELAY_MS: "600000" },
      "taking turns": {},
    };
    const results = await interleaved(runs, Object.values(cases), (settings) =>
      turns(stage, settings, turnsClients, turnsSeconds),
    );
    print(
      `a small request beside ${turnsClients} clients with queries for 680 objects`,
      Object.keys(cases).map((name, index) => {
        const of = (pick: (result: Awaited<ReturnType<typeof turns>>) => number) =>
          round(median(results[index]?.map(pick) ?? []));
        return {
          "large queries": name,
          "median, ms": of(({ smallMedianMs }) => smallMedianMs),
          "p99, ms": of(({ smallP99Ms }) => smallP99Ms),
          "large queries answered/s": of(({ largePerSecond }) => largePerSecond),
          "large queries refused": of(({ refused }) => refused),
        };
      }),
    );
  },

  async memory(stage, runs) {
    const cases = {
      "worker, one ASCII text of 20 MB": () => workerMemory(stage, 20_000_000, "english"),
      "worker, one Vietnamese text of 20 MB": () => workerMemory(stage, 20_000_000, "vietnamese"),
      "server, ten .txt of 20 MB at once": () => uploadMemory(stage, "txt", 10, 20_000_000),
      "server, ten .html of 20 MB at once": () => uploadMemory(stage, "html", 10, 20_000_000),
    };
    const results = await interleaved(runs, Object.values(cases), (measure) => measure());
    print(
      "resident memory, MB",
      Object.keys(cases).map((name, index) => ({
        process: name,
        before: Math.round(median(results[index]?.map(({ beforeMb }) => beforeMb) ?? [])),
        "rise, median": Math.round(median(results[index]?.map(({ riseMb }) => riseMb) ?? [])),
        "rise, each run": results[index]?.map(({ riseMb }) => Math.round(riseMb)).join(" "),
      })),
    );
  },
};

/** Runs all cases in turn, several times, so that other load of the machine affects all alike. */
async function interleaved<Case, Result>(
  runs: number,
  cases: readonly Case[],
  measure: (one: Case) => Promise<Result>,
): Promise<Result[][]> {
  const results: Result[][] = cases.map(() => []);
  for (let run = 0; run < runs; run++) {
    for (const [index, one] of cases.entries()) results[index]?.push(await measure(one));
  }
  return results;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const round = (value: number) => Number(value.toPrecision(3));

function print(title: string, rows: Record<string, unknown>[]): void {
  console.log(`\n${title}`);
  console.table(rows);
}

async function main([name = "", runs = "3"]: string[]): Promise<void> {
  const figure = Object.hasOwn(figures, name) ? figures[name] : undefined;
  if (!figure || !(Number(runs) >= 1)) {
    console.error(`Usage: node bench/main.ts ${Object.keys(figures).join("|")} [RUNS]`);
    process.exitCode = 2;
    return;
  }
  await withStage(async (stage) => {
    const version = await withClient(
      stage.serverUrl,
      async (client) => (await client.query("show server_version")).rows,
    );
    console.log(`${cpus().length} cores, Node ${process.versions.node}, PostgreSQL ${version[0].server_version}`);
    if (!hasPython()) console.log("Without the Python worker: /usr/bin/python3 with asyncpg is not installed.");
    await figure(stage, Number(runs));
  });
}

await main(process.argv.slice(2));
