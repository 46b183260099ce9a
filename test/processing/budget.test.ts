import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ApplicationError } from "../../src/errors.ts";
import { Budget } from "../../src/processing/budget.ts";

const refusal = () => new ApplicationError("OVERLOADED", "Too much.");

describe("a budget", () => {
  it("is given to large work before small work that came later, and to work larger than itself", async () => {
    const budget = new Budget({ total: 100, waitMs: 60_000, refusal });
    const begun: string[] = [];
    const releases: (() => void)[] = [];
    for (const [name, units] of Object.entries({ half: 50, large: 80, small: 10, "larger than all": 1_000 })) {
      void budget.take(units).then((release) => {
        begun.push(name);
        releases.push(release);
      });
    }
    const steps: string[][] = [];
    for (let step = 0; step < 4; step++) {
      await turn();
      steps.push(begun.splice(0));
      for (const release of releases.splice(0)) release();
    }
    expect(steps).toEqual([["half"], ["large", "small"], ["larger than all"], []]);
  });

  it("is given in the order in which it was asked for, and given back", async () => {
    const budget = new Budget({ total: 100, waitMs: 60_000, refusal });
    const begun: string[] = [];
    const take = async (name: string, bytes: number) => {
      const giveBack = await budget.take(bytes);
      begun.push(name);
      return giveBack;
    };
    const [half, whole, small] = [take("half", 50), take("more than there is", 1_000), take("small", 1)];
    (await half)();
    (await whole)();
    (await small)();
    expect(begun).toEqual(["half", "more than there is", "small"]);
    (await take("all", 100))();
  });

  it("is not kept from others by who has left the queue", async () => {
    const budget = new Budget({ total: 100, waitMs: 50, refusal });
    const giveBack = await budget.take(50);
    const tooLarge = budget.take(100);
    const behind = budget.take(50);
    await expect(tooLarge).rejects.toMatchObject({ code: "OVERLOADED", message: "Too much." });
    (await behind)();
    giveBack();
    (await budget.take(100))();
  });
});
