import { expect, it } from "vitest";
import { stopAll } from "../../src/commands/stop-all.ts";
import { collectedLog } from "../support/logs.ts";

it("parts stop in reverse order, each after the one before, even if one fails", async () => {
  const { logger, lines } = collectedLog();
  const events: string[] = [];
  const part = (name: string, failure?: Error) => async () => {
    events.push(`${name} stops`);
    await Promise.resolve();
    if (failure) throw failure;
    events.push(`${name} has stopped`);
  };
  await stopAll([part("database"), part("application", new Error("It hangs.")), part("server")], logger);
  expect(events).toEqual([
    "server stops",
    "server has stopped",
    "application stops",
    "database stops",
    "database has stopped",
  ]);
  expect(lines).toMatchObject([{ level: 50, err: { message: "It hangs." }, msg: "a part did not stop well" }]);
});
