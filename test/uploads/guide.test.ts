/** docs/uploads.md: its commands run as they are written, one after the other, and the codes that it names exist. */
import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { settingsOf } from "../../src/config.ts";
import { loadSampleLibrary } from "../../src/sample-library.ts";
import { slices } from "../../src/slices.ts";
import { pdf } from "../support/documents.ts";
import { filesOf } from "../support/files.ts";
import { startLectern } from "../support/lectern.ts";
import { until } from "../support/until.ts";

const root = join(import.meta.dirname, "../..");
const guide = readFileSync(join(root, "docs/uploads.md"), "utf8");

const hasCurl = (() => {
  try {
    execFileSync("curl", ["--version"]);
    return true;
  } catch {
    console.warn("Skipped: there is no curl in PATH.");
    return false;
  }
})();

describe.skipIf(!hasCurl)("the commands", () => {
  it("send a file in one request, and another in two pieces", async () => {
    const lectern = await startLectern();
    onTestFinished(() => lectern.stop());
    await loadSampleLibrary(lectern.application);
    const folder = await mkdtemp(join(tmpdir(), "lectern-uploads-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, "paper.pdf"), pdf(["Words of a paper."]));
    const book = pdf(Array.from({ length: 20 }, (_, page) => `Words of page ${page}.`));
    expect(book.length).toBeGreaterThan(1_000);
    await writeFile(join(folder, "book.pdf"), book);

    const commands = [...guide.matchAll(/^ *```sh\n(.*?)^ *```$/gms)].map(([, command = ""]) => command);
    expect(commands).toHaveLength(6);
    const marks = commands.map((command) => `${command}\necho; echo ---`).join("\n");
    const script = `set -e\n${marks}\necho "$OFFSET"`;
    const { stdout } = await promisify(execFile)(
      "sh",
      ["-c", script.replaceAll("http://127.0.0.1:4000", new URL(lectern.url).origin)],
      { cwd: folder },
    );
    const outputs = stdout.split("---").map((text) => text.trim());
    const created = (title: string) => `{"data":{"createDocument":{"document":{"title":"${title}"}}}}`;
    expect(outputs).toEqual(["", created("paper"), "", "", "", created("book"), "1000"]);
    await until(
      async () => (await filesOf(lectern)).every((path) => path.startsWith("kept/")),
      "the upload and the staged files are removed",
    );
  }, 60_000);
});

it("the guide names settings and codes that exist", () => {
  const errors = readFileSync(join(root, "src/errors.ts"), "utf8");
  const known = [...errors.matchAll(/"([A-Z_]+)"/g)].map(([, code]) => code);
  const names = [...guide.matchAll(/`([A-Z]+_[A-Z_]+)`/g)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect([...known, ...Object.keys(settingsOf(slices).shape)]).toContain(name);
});
