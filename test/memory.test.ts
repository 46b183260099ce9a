/** What a long text takes of a process's memory, seen from outside. bench/README.md has the figures. */
import { describe, expect, inject, it } from "vitest";
import { uploadMemory, workerMemory } from "../bench/memory.ts";
import { canMeasureMemory } from "../bench/stage.ts";
import { isLong, rounds } from "./support/rounds.ts";

const stage = () => ({ serverUrl: inject("serverUrl"), templateName: inject("templateName") });
const megabytes = rounds(4, 20);
const uploads = rounds(6, 10);

describe.skipIf(!canMeasureMemory)(`resident memory for texts of ${megabytes} MB`, { timeout: 600_000 }, () => {
  it.each(isLong ? (["english", "vietnamese"] as const) : (["vietnamese"] as const))(
    "of a worker rises by a bounded multiple of one text (%s)",
    async (language) => {
      const { riseMb } = await workerMemory(stage(), megabytes * 1_000_000, language);
      console.log(`worker, ${language}: ${Math.round(riseMb)} MB for ${megabytes} MB`);
      expect(riseMb).toBeLessThan(rounds(200, 350));
    },
  );

  it("of a server rises by a bounded amount for several uploads at once", async () => {
    const { riseMb } = await uploadMemory(stage(), "txt", uploads, megabytes * 1_000_000);
    console.log(`server: ${Math.round(riseMb)} MB for ${uploads} texts of ${megabytes} MB at once`);
    expect(riseMb).toBeLessThan(rounds(200, 400));
  });
});
