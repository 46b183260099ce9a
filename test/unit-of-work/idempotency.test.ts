/** `Idempotency-Key`: an operation that is sent again is not done again. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sweepKeys } from "../../src/unit-of-work/idempotency-keys.ts";
import type { Probe } from "../../src/unit-of-work/transaction-guard.ts";
import { dump } from "../support/dump.ts";
import { missingDocument } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";

let lectern: Lectern;
/** A second server on the same database. */
let sibling: Lectern;
let ada: Person;
let probe: Probe | undefined;

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false, probe: (point, operation) => probe?.(point, operation) });
  sibling = await startLectern({ database: lectern.database, settings: { WRITE_CONNECTIONS: "4" } });
  ada = await lectern.person("Ada");
});
afterEach(() => {
  probe = undefined;
});
afterAll(async () => {
  await sibling.stop();
  await lectern.stop();
});

type Answer = {
  status: number;
  isReplay: boolean;
  body: { data: Record<string, unknown> | null; errors?: { path?: string[]; extensions: { code: string } }[] };
};

const create = `mutation Create($input: CreateDocumentInput!) {
  createDocument(input: $input) { isDuplicate document { id title version createdAt sizeBytes } }
}`;

async function send(
  key: string | null,
  variables: object,
  { server = lectern, person = ada as Person | null, query = create, headers = {} } = {},
): Promise<Answer> {
  const response = await post(server.url, {
    query,
    variables,
    accessToken: person?.accessToken,
    headers: { ...(key !== null && { "idempotency-key": key }), ...headers },
  });
  const body = (await response.json()) as Answer["body"];
  return { status: response.status, isReplay: response.headers.get("idempotent-replay") === "true", body };
}

const input = (text: string, more: object = {}) => ({ input: { source: { text }, ...more } });
const codes = ({ body }: Answer) => body.errors?.map(({ extensions }) => extensions.code);
const rowsOf = (title: string) => lectern.database.query("select id from documents where title = $1", [title]);

describe("an operation with a key", () => {
  it("is done once, and answered the same again, also by another server", async () => {
    const first = await send("once", input("Once", { title: "Once" }));
    expect(first).toMatchObject({ isReplay: false, body: { data: { createDocument: { isDuplicate: false } } } });
    const before = await dump(lectern.database);
    // What happened since does not change the answer.
    const again = await send("once", input("Once", { title: "Once" }));
    const elsewhere = await send("once", input("Once", { title: "Once" }), { server: sibling });
    expect(again).toEqual({ ...first, isReplay: true });
    expect(elsewhere).toEqual({ ...first, isReplay: true });
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("is another one when another user sends it", async () => {
    const bob = await lectern.person("Bob");
    const first = await send("shared key", input("Of two", { title: "Of two" })).then(codes);
    expect(first).toEqual(["BAD_USER_INPUT"]);
    await send("shared-key", input("Of two", { title: "Of two" }));
    const other = await send("shared-key", input("Of two", { title: "Of two" }), { person: bob });
    expect(other.isReplay).toBe(false);
    expect(await rowsOf("Of two")).toHaveLength(2);
  });

  it("of two users is answered again to each with their own answer", async () => {
    const people = [ada, await lectern.person("Two"), await lectern.person("Three")];
    const sendAs = (person: Person) => send("each-their-own", input("Each", { title: "Each" }), { person });
    const first = [];
    for (const person of people) first.push(await sendAs(person));
    expect(first.map(({ isReplay }) => isReplay)).toEqual([false, false, false]);
    expect(new Set(first.map(({ body }) => JSON.stringify(body)))).toHaveLength(people.length);
    for (const [index, person] of people.entries()) {
      expect(await sendAs(person)).toEqual({ ...first[index], isReplay: true });
    }
  });

  it("is refused for another operation of the same document", async () => {
    const query = `mutation One($input: CreateDocumentInput!) { createDocument(input: $input) { document { title } } }
      mutation Two($input: CreateDocumentInput!) { createDocument(input: $input) { document { title } } }`;
    const sendNamed = async (operationName: string) => {
      const response = await fetch(lectern.url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${ada.accessToken}`,
          "idempotency-key": "operations",
        },
        body: JSON.stringify({ query, operationName, variables: input("Operations", { title: "Operations" }) }),
      });
      const { data, errors } = (await response.json()) as Answer["body"];
      return errors?.map(({ extensions }) => extensions.code) ?? data;
    };
    const answer = { createDocument: { document: { title: "Operations" } } };
    expect(await sendNamed("One")).toEqual(answer);
    expect(await sendNamed("Two")).toEqual(["IDEMPOTENCY_MISMATCH"]);
    expect(await sendNamed("One")).toEqual(answer);
  });

  it("is refused with another body, whatever differs", async () => {
    await send("body", input("Body", { title: "Body" }));
    const before = await dump(lectern.database);
    const others = [
      send("body", input("Body", { title: "Other" })),
      send("body", input("Body", { title: "Body" }), { query: create.replace("sizeBytes", "sha256") }),
    ];
    for (const other of others) expect(codes(await other)).toEqual(["IDEMPOTENCY_MISMATCH"]);
    expect(await dump(lectern.database)).toEqual(before);
    // The order of fields says nothing.
    const same = await send("body", { input: { title: "Body", source: { text: "Body" } } });
    expect(same.isReplay).toBe(true);
  });

  it("that failed may be sent again", async () => {
    const query = `mutation($id: ID!, $title: String!) { updateDocument(input: { id: $id, expectedVersion: 1, title: $title }) { document { version } } }`;
    const { id } = await ada.document({ text: "Failed first." });
    const variables = {
      id: missingDocument,
      title: "T",
    };
    expect(codes(await send("failed", variables, { query }))).toEqual(["NOT_FOUND"]);
    const right = await send("failed", { id, title: "T" }, { query });
    expect(right).toMatchObject({ isReplay: false, body: { data: { updateDocument: { document: { version: 2 } } } } });
  });

  it("is not kept by a dry run, nor answered from one", async () => {
    const sendDry = () => send("dry", input("Dry", { title: "Dry key" }), { headers: { "lectern-dry-run": "true" } });
    expect((await sendDry()).body.data).not.toBeNull();
    const real = await send("dry", input("Dry", { title: "Dry key" }));
    expect(real.isReplay).toBe(false);
    expect(await rowsOf("Dry key")).toHaveLength(1);
    // A dry run says what would happen now, also with a key whose answer is kept.
    const later = { isReplay: false, body: { data: { createDocument: { isDuplicate: true } } } };
    expect(await sendDry()).toMatchObject(later);
  });

  it("needs a user, a proper key, and an answer that may be kept", async () => {
    const signUp = `mutation { signUp(input: { email: "k@lectern.test", name: "K", password: "a good password" }) { accessToken } }`;
    const before = await dump(lectern.database);
    expect(codes(await send("s", {}, { person: null, query: signUp }))).toEqual(["BAD_USER_INPUT"]);
    expect(codes(await send("s", {}, { query: signUp }))).toEqual(["BAD_USER_INPUT"]);
    expect(codes(await send("x".repeat(256), input("Long key")))).toEqual(["BAD_USER_INPUT"]);
    expect(codes(await send("", input("Empty key")))).toEqual(["BAD_USER_INPUT"]);
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("repeats at once", () => {
  it.each([
    ["of one server", () => [lectern]],
    ["of two servers", () => [lectern, sibling]],
  ])("50, %s, are done once and all get the same answer", async (name, servers) => {
    let isFirst = true;
    probe = async (point) => {
      if (point !== "before_commit" || !isFirst) return;
      isFirst = false;
      await pause(100);
    };
    const key = `fifty-${name.replaceAll(" ", "-")}`;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        send(key, input(name, { title: key }), { server: servers()[index % servers().length] as Lectern }),
      ),
    );
    expect(answers.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body)))).toHaveLength(1);
    expect(answers[0]?.body.data).toMatchObject({ createDocument: { isDuplicate: false } });
    expect(await rowsOf(key)).toHaveLength(1);
  });

  it("are done by the next when the first fails", async () => {
    let begun = 0;
    probe = async (point, operation) => {
      if (point !== "before_commit" || operation !== "Create" || ++begun > 1) return;
      await pause(50);
      throw new Error("The first fails.");
    };
    const answers = await Promise.all(Array.from({ length: 5 }, () => send("next", input("Next", { title: "Next" }))));
    expect(answers.filter(({ body }) => body.data === null)).toHaveLength(1);
    expect(answers.filter(({ isReplay }) => isReplay)).toHaveLength(3);
    expect(await rowsOf("Next")).toHaveLength(1);
  });
});

describe("an answer", () => {
  it("is kept for 24 hours, then forgotten and swept", async () => {
    await send("old", input("Old", { title: "Old" }));
    await lectern.database.query(
      `update idempotency_keys set created_at = now() - interval '23 hours' where key = 'old'`,
    );
    expect((await send("old", input("Old", { title: "Old" }))).isReplay).toBe(true);
    await lectern.database.query(
      `update idempotency_keys set created_at = now() - interval '25 hours' where key = 'old'`,
    );
    // Not swept yet, but too old: it is done anew, and then kept again.
    const anew = await send("old", input("Old", { title: "Old" }));
    expect(anew).toMatchObject({ isReplay: false, body: { data: { createDocument: { isDuplicate: true } } } });
    expect((await send("old", input("Old", { title: "Old" }))).isReplay).toBe(true);

    await lectern.database.query(
      `update idempotency_keys set created_at = now() - interval '25 hours' where key = 'old'`,
    );
    const [kept] = await lectern.database.query(
      "select count(*)::int as count from idempotency_keys where key <> 'old'",
    );
    expect(await sweepKeys(lectern.application.run, 24)).toBe(1);
    const [left] = await lectern.database.query("select count(*)::int as count from idempotency_keys");
    expect(left).toEqual(kept);
  });
});
