/** Titles are found by what people type for them, through the API: the golden list, and what the index makes of it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { processAgain } from "../support/random-library.ts";
import { alike, different, mistyped, titles } from "./vietnamese-titles.ts";

let lectern: Lectern;
let ada: Person;

beforeAll(async () => {
  lectern = await startLectern();
  ada = await lectern.person("Ada");
  for (const title of titles) {
    const { id } = await ada.document({ title, text: title });
    await processAgain(lectern.database, uuidOf(id), [title]);
  }
});
afterAll(() => lectern.stop());

const Titles = graphql(`
  query Titles($search: String!) {
    documents(first: 100, filter: { search: $search }) { nodes { title } }
    viewer { user { documents(first: 100, filter: { search: $search }) { totalCount } } }
  }
`);

const Texts = graphql(`
  query Texts($query: String!) {
    searchChunks(first: 100, query: $query) { nodes { chunk { document { title } } } }
  }
`);

async function titlesFor(search: string): Promise<string[]> {
  const { documents, viewer } = await ada.client.request(Titles, { search });
  // The same rule wherever titles are searched: here all documents are hers.
  expect(viewer?.user.documents.totalCount).toBe(documents.nodes.length);
  return documents.nodes.map(({ title }) => title);
}

describe(`the golden list (${alike.length + mistyped.length + different.length} pairs)`, () => {
  it.each(alike)("%s finds %s", async (search, title) => {
    expect(await titlesFor(search)).toContain(title);
  });

  it.each(mistyped)("%s finds %s, with a mistake", async (search, title) => {
    expect(await titlesFor(search)).toContain(title);
  });

  it.each(different)("%s does not find %s", async (search, title) => {
    expect(await titlesFor(search)).not.toContain(title);
  });

  it.each(alike)("%s finds the text %s", async (query, title) => {
    const { searchChunks } = await ada.client.request(Texts, { query });
    expect(searchChunks.nodes.map(({ chunk }) => chunk.document.title)).toContain(title);
  });
});
