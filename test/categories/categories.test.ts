/** Categories as editors and readers see them, through the public API. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import { dump } from "../support/dump.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";

let lectern: Lectern;
let ed: Person;
let reader: Person;

beforeAll(async () => {
  lectern = await startLectern();
  ed = await lectern.person("Ed", "EDITOR");
  reader = await lectern.person("Reader");
});
afterAll(() => lectern.stop());

const Create = graphql(`
  mutation CreateCategory($name: String!) {
    createCategory(input: { name: $name }) { category { id name version } }
  }
`);
const Update = graphql(`
  mutation UpdateCategory($input: UpdateCategoryInput!) {
    updateCategory(input: $input) { category { name version } }
  }
`);
const Delete = graphql(`
  mutation DeleteCategory($input: DeleteCategoryInput!) {
    deleteCategory(input: $input) { deletedId }
  }
`);
const List = graphql(`
  query Categories { categories { id name version } }
`);

const names = async () => (await reader.client.request(List)).categories.map(({ name }) => name);

describe("a category", () => {
  it("is created, listed by name, renamed and deleted", async () => {
    const { category: music } = (await ed.client.request(Create, { name: " Music " })).createCategory;
    expect(music).toEqual({ id: expect.any(String), name: "Music", version: 1 });
    for (const name of ["Übungen", "speech", "Zebras", "Audience"]) await ed.client.request(Create, { name });
    expect(await names()).toEqual(["Audience", "Music", "speech", "Übungen", "Zebras"]);

    const renamed = await ed.client.request(Update, { input: { id: music.id, expectedVersion: 1, name: "MUSIC" } });
    expect(renamed.updateCategory.category).toEqual({ name: "MUSIC", version: 2 });
    const { deleteCategory } = await ed.client.request(Delete, { input: { id: music.id, expectedVersion: 2 } });
    expect(deleteCategory.deletedId).toBe(music.id);
    expect(await names()).toEqual(["Audience", "speech", "Übungen", "Zebras"]);
    const [error] = await errorsOf(ed.client.request(Delete, { input: { id: music.id } }));
    expect(error).toMatchObject({ message: "The category does not exist.", extensions: { code: "NOT_FOUND" } });
  });

  it("is refused under the name of another, whose name is shown", async () => {
    await ed.client.request(Create, { name: "Người" });
    const before = await dump(lectern.database);
    const errors = await errorsOf(ed.client.request(Create, { name: "NGUOI" }));
    expect(errors).toMatchObject([
      {
        message: 'The name is taken by the category "Người": choose a different one.',
        extensions: { code: "DUPLICATE", inputPath: ["input", "name"] },
      },
    ]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("is not overwritten by a client that read an older version, which is shown the current one", async () => {
    const { category } = (await ed.client.request(Create, { name: "Talks" })).createCategory;
    await ed.client.request(Update, { input: { id: category.id, expectedVersion: 1, name: "Speeches" } });
    const [error] = await errorsOf(
      ed.client.request(Update, { input: { id: category.id, expectedVersion: 1, name: "Lectures" } }),
    );
    expect(error?.extensions).toMatchObject({
      code: "CONFLICT",
      inputPath: ["input", "expectedVersion"],
      currentVersion: 2,
      current: { id: category.id, name: "Speeches" },
    });
    expect(await names()).toContain("Speeches");
  });

  it("is changed by editors and admins only, and read by all readers", async () => {
    const before = await dump(lectern.database);
    const viewer = await errorsOf(reader.client.request(Create, { name: "Mine" }));
    expect(viewer).toMatchObject([{ extensions: { code: "FORBIDDEN" } }]);
    const stranger = lectern.client();
    expect(await errorsOf(stranger.request(Create, { name: "Mine" }))).toMatchObject([
      { extensions: { code: "UNAUTHENTICATED" } },
    ]);
    expect(await errorsOf(stranger.request(List))).toMatchObject([{ extensions: { code: "UNAUTHENTICATED" } }]);
    expect(await dump(lectern.database)).toEqual(before);
    const admin = await lectern.person("Admin", "ADMIN");
    await admin.client.request(Create, { name: "Of an admin" });
    expect(await names()).toContain("Of an admin");
  });

  it("is read with all others in one statement, and with events in one round trip", async () => {
    const traced = reader.with({ "Lectern-Trace": "1" });
    const { extensions } = await traced.rawRequest("{ categories { name } more: categories { version } }");
    expect(extensions).toMatchObject({ lectern: { roundTrips: 1, statements: 1 } });
    const both = await traced.rawRequest("{ categories { name } events { name } }");
    expect(both.extensions).toMatchObject({ lectern: { roundTrips: 1, statements: 2 } });
  });
});
