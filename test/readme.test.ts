/** The README: its requests run as they are written and get its responses; its commands, settings, paths and links exist. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { parse, validate } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settingsOf } from "../src/config.ts";
import { buildSchema } from "../src/graphql/schema.ts";
import { loadProcessedSamples, loadSampleLibrary } from "../src/sample-library.ts";
import { slices } from "../src/slices.ts";
import { pdf } from "./support/documents.ts";
import { type Lectern, startLectern } from "./support/lectern.ts";
import { makeM4a } from "./support/sounds.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const readme = read("README.md");
const blocks = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = "", code = ""]) => ({
  language,
  code,
}));

const hasCurl = (() => {
  try {
    execFileSync("curl", ["--version"]);
    return true;
  } catch {
    console.warn("Skipped: there is no curl in PATH.");
    return false;
  }
})();

describe.skipIf(!hasCurl)("the requests", () => {
  let lectern: Lectern;
  let folder: string;

  beforeAll(async () => {
    lectern = await startLectern({ worker: true });
    await loadSampleLibrary(lectern.application);
    await loadProcessedSamples(lectern.application);
    folder = await mkdtemp(join(tmpdir(), "lectern-readme-"));
    await writeFile(join(folder, "paper.pdf"), pdf(["Words of a paper."]));
    await writeFile(join(folder, "song.m4a"), makeM4a({ seconds: 1 }));
  });
  afterAll(async () => {
    await lectern.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(code: string) {
    const script = code.replaceAll("http://127.0.0.1:4000/graphql", lectern.url);
    return JSON.parse((await promisify(execFile)("sh", ["-c", script], { cwd: folder })).stdout);
  }

  it("get the responses that are shown below them", async () => {
    const requests = blocks.filter(({ code }) => code.startsWith("curl"));
    expect(requests).toHaveLength(7);
    for (const request of requests) {
      const response = await run(request.code);
      await lectern.settled();
      const next = blocks[blocks.indexOf(request) + 1];
      if (next?.language !== "json") {
        if (request.code.includes("uploadAudio")) {
          expect(response).toMatchObject({ data: { uploadAudio: { isDuplicate: false, audio: { title: "song" } } } });
          continue;
        }
        if (request.code.includes("nowPlaying")) {
          expect(response).toMatchObject({ data: { nowPlaying: { track: { playlist: { name: "Daytime" } } } } });
          continue;
        }
        expect(response).toMatchObject({
          data: { createDocument: { isDuplicate: false, document: { title: "paper", mimeType: "application/pdf" } } },
        });
        continue;
      }
      // An ellipsis stands for more fields; times differ.
      const shown = JSON.parse(next.code.replace(/,\s*…/g, ""));
      if (shown.data.signIn)
        shown.data.signIn.expiresAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
      expect(response).toMatchObject(shown);
      expect(Object.keys(response)).toEqual(Object.keys(shown));
    }
  });
});

it("shows an operation for clients that the schema accepts", async () => {
  const { code = "" } = blocks.find(({ language }) => language === "ts") ?? {};
  const [, operation = ""] = /graphql\(`(.*?)`\)/s.exec(code) ?? [];
  expect(validate(await buildSchema(slices), parse(operation))).toEqual([]);
});

it("names the defaults of all settings", () => {
  const rows = [...readme.matchAll(/^\| ([A-Z_]+) \| (.*?) \|/gm)].map(([, name = "", value = ""]) => [
    name,
    value.trim(),
  ]);
  const defaults = Object.entries(settingsOf(slices).shape).map(([name, setting]) => {
    const found = setting.safeParse(undefined).data;
    return [name, name === "EAGER_PLAN" ? (found ? "on" : "off") : String(found ?? "")];
  });
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(defaults));
});

describe("all texts", () => {
  const paths = ["*.md", "docs/**/*.md", "prisma/**/*.md", "bench/*.md", "examples/**/*.md", "src/**/*.md"]
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .sort();
  const texts = paths.map((path) => ({ path, text: read(path) }));

  it("link to files that exist", () => {
    expect(texts.length).toBeGreaterThan(20);
    for (const { path, text } of texts) {
      for (const [, target = ""] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
        if (/^https?:/.test(target)) continue;
        expect([path, target, existsSync(join(root, dirname(path), target))]).toEqual([path, target, true]);
      }
    }
  });

  it("name files that exist", () => {
    for (const { path, text } of texts) {
      const named = text.matchAll(
        /(?:^|[\s`(])((?:src|docs|prisma|test|bench|scripts|examples)\/[\w./-]*)(?![\w<*…])/gm,
      );
      for (const [, name = ""] of named) {
        const file = name.replace(/\.$/, "");
        // The guide creates these itself.
        if (path === "docs/adding-a-slice.md" && /\bposts\b|_posts\b/.test(file)) continue;
        // A filter of vitest is the beginning of a path.
        const exists = existsSync(join(root, file)) || globSync(`${file}*`, { cwd: root }).length > 0;
        expect([path, file, exists]).toEqual([path, file, true]);
      }
    }
  });

  it("name commands that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const usage = /const usage = `(.*?)`;/s.exec(read("src/main.ts"))?.[1] ?? "";
    const tests = globSync("test/**/*.test.ts", { cwd: root });
    for (const { path, text } of texts) {
      for (const [, name = ""] of text.matchAll(/\bnpm (?:run )?(start|test|(?<=run )[\w:]+)/g)) {
        expect([path, name, Object.keys(scripts)]).toEqual([path, name, expect.arrayContaining([name])]);
      }
      for (const [, filters = ""] of text.matchAll(/npx vitest run((?: [\w./-]+)*)/g)) {
        for (const filter of filters.split(" ").filter((word) => word !== "" && !word.startsWith("-"))) {
          const chosen = filter === "timing" ? ["--project timing"] : tests.filter((file) => file.includes(filter));
          expect([path, filter, chosen.length > 0]).toEqual([path, filter, true]);
        }
      }
      for (const [, command = ""] of text.matchAll(/node src\/main\.ts ([a-z]+)/g)) {
        expect([path, command, usage.includes(`\n  ${command} `)]).toEqual([path, command, true]);
      }
    }
  });
});
