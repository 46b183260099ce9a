/** How the parts of a server wake each other. Without that, each would wait for its own timer. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Lectern, type Person, startLectern } from "./support/lectern.ts";
import { watchBySse } from "./support/watching.ts";

let lectern: Lectern;
let ada: Person;
beforeAll(async () => {
  lectern = await startLectern();
  ada = await lectern.person("Ada");
});
afterAll(() => lectern.stop());

it("the end of a session checks the subscriptions at once", () => {
  const { changes, viewers } = lectern.application;
  const checkAll = vi.spyOn(changes, "checkAll");
  viewers.forget();
  expect(checkAll).toHaveBeenCalledOnce();
});

it("an event wakes housekeeping", async () => {
  const { accessToken } = ada;
  const watching = await watchBySse(lectern.url, { accessToken });
  const wake = vi.spyOn(lectern.application.housekeeping, "wake");
  await ada.document();
  await watching.next();
  expect(wake).toHaveBeenCalled();
  watching.close();
});
