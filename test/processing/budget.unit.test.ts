import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Budget } from "../../src/processing/budget.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A budget of 10 units, and the names of those who hold a part of it, in the order in which they received it. */
function budgetOfTen() {
  const budget = new Budget({ total: 10, waitMs: 100, refusal: () => new Error("No units are free.") });
  const holders: string[] = [];
  const refused: string[] = [];
  const take = async (name: string, units: number): Promise<(() => void) | undefined> => {
    try {
      const release = await budget.take(units);
      holders.push(name);
      return release;
    } catch (error) {
      refused.push(`${name}: ${(error as Error).message}`);
      return undefined;
    }
  };
  return { take, holders, refused };
}
const settled = () => vi.advanceTimersByTimeAsync(0);

describe("a budget", () => {
  it("is shared by all that fit into it together", async () => {
    const { take, holders } = budgetOfTen();
    await take("a", 4);
    await take("b", 6);
    void take("c", 1);
    await settled();
    expect(holders).toEqual(["a", "b"]);
  });

  it("goes to the next in the queue as soon as enough is released", async () => {
    const { take, holders } = budgetOfTen();
    const releaseFour = await take("a", 4);
    const releaseSix = await take("b", 6);
    void take("c", 5);
    await settled();
    releaseFour?.();
    await settled();
    expect(holders).toEqual(["a", "b"]);
    releaseSix?.();
    await settled();
    expect(holders).toEqual(["a", "b", "c"]);
  });

  it("is given in order: small work does not overtake large work", async () => {
    const { take, holders } = budgetOfTen();
    const release = await take("a", 4);
    void take("large", 10);
    void take("small", 1);
    await settled();
    expect(holders).toEqual(["a"]);
    release?.();
    await settled();
    expect(holders).toEqual(["a", "large"]);
  });

  it("is given whole to work that needs more than there is", async () => {
    const { take, holders } = budgetOfTen();
    const release = await take("huge", 1_000);
    void take("small", 1);
    await settled();
    expect(holders).toEqual(["huge"]);
    release?.();
    await settled();
    expect(holders).toEqual(["huge", "small"]);
    await take("rest", 9);
    expect(holders).toEqual(["huge", "small", "rest"]);
  });

  it("is refused after the timeout, and work that waited behind has its turn", async () => {
    const { take, holders, refused } = budgetOfTen();
    await take("a", 4);
    void take("large", 10);
    await vi.advanceTimersByTimeAsync(50);
    void take("small", 6);
    await vi.advanceTimersByTimeAsync(49);
    expect({ holders, refused }).toEqual({ holders: ["a"], refused: [] });
    await vi.advanceTimersByTimeAsync(1);
    expect({ holders, refused }).toEqual({ holders: ["a", "small"], refused: ["large: No units are free."] });
  });

  it("is not taken by work that was refused", async () => {
    const { take, holders, refused } = budgetOfTen();
    const release = await take("a", 10);
    void take("late", 10);
    await vi.advanceTimersByTimeAsync(100);
    release?.();
    await take("b", 10);
    expect({ holders, refused }).toEqual({ holders: ["a", "b"], refused: ["late: No units are free."] });
  });

  it("leaves no timer behind for work that has begun", async () => {
    const { take } = budgetOfTen();
    await take("a", 1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
