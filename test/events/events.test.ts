/** Events as editors and readers see them, through the public API. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import { dump } from "../support/dump.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";

let lectern: Lectern;
let ed: Person;

beforeAll(async () => {
  lectern = await startLectern();
  ed = await lectern.person("Ed", "EDITOR");
});
afterAll(() => lectern.stop());

const Create = graphql(`
  mutation CreateEvent($input: CreateEventInput!) {
    createEvent(input: $input) { event { id name startsAt endsAt version } }
  }
`);
const Update = graphql(`
  mutation UpdateEvent($input: UpdateEventInput!) {
    updateEvent(input: $input) { event { name startsAt endsAt version } }
  }
`);
const Delete = graphql(`
  mutation DeleteEvent($input: DeleteEventInput!) {
    deleteEvent(input: $input) { deletedId }
  }
`);
const List = graphql(`
  query Events { events { name startsAt endsAt } }
`);

const create = async (name: string, startsAt?: string, endsAt?: string) =>
  (await ed.client.request(Create, { input: { name, startsAt, endsAt } })).createEvent.event;

const noon = "2026-11-21T12:00:00.000Z";
const evening = "2026-11-21T18:00:00.000Z";

describe("an event", () => {
  it("is created, listed by its start, changed in part and deleted", async () => {
    const opening = await create("Opening", "2026-11-21T13:00:00+01:00");
    expect(opening).toEqual({ id: expect.any(String), name: "Opening", startsAt: noon, endsAt: null, version: 1 });
    await create("Some day");
    await create("Closing", evening, evening);
    await create("Breakfast", evening);
    const { events } = await ed.client.request(List);
    expect(events).toEqual([
      { name: "Opening", startsAt: noon, endsAt: null },
      { name: "Breakfast", startsAt: evening, endsAt: null },
      { name: "Closing", startsAt: evening, endsAt: evening },
      { name: "Some day", startsAt: null, endsAt: null },
    ]);

    const { id } = opening;
    const ended = await ed.client.request(Update, { input: { id, expectedVersion: 1, endsAt: evening } });
    expect(ended.updateEvent.event).toEqual({ name: "Opening", startsAt: noon, endsAt: evening, version: 2 });
    const cleared = await ed.client.request(Update, { input: { id, expectedVersion: 2, startsAt: null } });
    expect(cleared.updateEvent.event).toEqual({ name: "Opening", startsAt: null, endsAt: evening, version: 3 });
    await ed.client.request(Delete, { input: { id } });
    expect((await ed.client.request(List)).events.map(({ name }) => name)).toEqual([
      "Breakfast",
      "Closing",
      "Some day",
    ]);
  });

  it("does not end before it starts, whichever of the two changes", async () => {
    const event = await create("A short one", noon, evening);
    const before = await dump(lectern.database);
    const refused = {
      message: `An event that starts at ${evening} cannot end before, at ${noon}.`,
      extensions: { code: "BAD_USER_INPUT", inputPath: ["input", "endsAt"] },
    };
    expect(await errorsOf(create("Backwards", evening, noon))).toMatchObject([refused]);
    const { id } = event;
    const later = { id, expectedVersion: 1, startsAt: "2026-11-21T18:00:00.001Z" };
    expect(await errorsOf(ed.client.request(Update, { input: later }))).toMatchObject([
      { extensions: { code: "BAD_USER_INPUT", inputPath: ["input", "endsAt"] } },
    ]);
    const earlier = { id, expectedVersion: 1, endsAt: "2026-11-21T11:59:59.999Z" };
    expect(await errorsOf(ed.client.request(Update, { input: earlier }))).toMatchObject([
      { extensions: { code: "BAD_USER_INPUT", inputPath: ["input", "endsAt"] } },
    ]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("has a name of its own among events, and may share it with a category", async () => {
    await create("Fête");
    const errors = await errorsOf(create("FETE"));
    expect(errors).toMatchObject([
      {
        message: 'The name is taken by the event "Fête": choose a different one.',
        extensions: { code: "DUPLICATE", inputPath: ["input", "name"] },
      },
    ]);
    const both = `mutation {
      createCategory(input: { name: "Fete" }) { category { name } }
      createEvent(input: { name: "Another" }) { event { name } }
    }`;
    expect(await ed.client.request(both)).toEqual({
      createCategory: { category: { name: "Fete" } },
      createEvent: { event: { name: "Another" } },
    });
  });

  it("is changed by editors and admins only", async () => {
    const reader = await lectern.person("Reader");
    const before = await dump(lectern.database);
    const { id } = await create("For all to see");
    const written = await dump(lectern.database);
    expect(written).not.toEqual(before);
    for (const request of [
      reader.client.request(Create, { input: { name: "Mine" } }),
      reader.client.request(Update, { input: { id, expectedVersion: 1, name: "Mine" } }),
      reader.client.request(Delete, { input: { id } }),
    ]) {
      expect(await errorsOf(request)).toMatchObject([{ extensions: { code: "FORBIDDEN" } }]);
    }
    expect(await dump(lectern.database)).toEqual(written);
    expect((await reader.client.request(List)).events.map(({ name }) => name)).toContain("For all to see");
  });
});
