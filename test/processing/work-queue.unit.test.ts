import { expect, it } from "vitest";
import { workQueue } from "../../src/processing/work-queue.ts";
import { silent as logger } from "../support/logs.ts";

it("a worker that cannot listen closes its resources and fails", async () => {
  let closings = 0;
  const queue = workQueue<string, string, object>(
    { table: "jobs", noun: "job", jobOf: String, completion: { placeholders: "$3", valuesOf: (result) => [result] } },
    async () => ({ work: async () => "done", close: async () => void closings++ }),
  );
  // Nothing listens at this port.
  const url = "postgresql://nobody@127.0.0.1:9/nothing";
  const start = queue.start({ url, slots: 1, leaseMs: 1_000, maxAttempts: 5, logger });
  await expect(start).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(closings).toBe(1);
});
