/** One operation, one transaction, as a client of the API sees it. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ServerResponse } from "node:http";
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import { print } from "graphql";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Probe } from "../../src/unit-of-work/transaction-guard.ts";
import { graphql } from "../support/client/generated/gql.ts";
import type { UnitUpdateMutation } from "../support/client/generated/graphql.ts";
import { dump } from "../support/dump.ts";
import { missingDocument, uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";

let lectern: Lectern;
let ada: Person;
/** What the test does at the points of transactions. */
let probe: Probe | undefined;
/** The server's log. */
let lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  lectern = await startLectern({
    settings: { TRANSACTION_ATTEMPTS: "4" },
    // Its transactions would come to the same points, and into the log.
    housekeeping: false,
    probe: (point, operation) => probe?.(point, operation),
    log: (line) => void lines.push(line),
  });
  ada = await lectern.person("Ada");
});
afterEach(() => {
  probe = undefined;
});
afterAll(() => lectern.stop());

const Steps = graphql(`
  mutation UnitSteps($create: CreateDocumentInput!, $update: UpdateDocumentInput!, $delete: DeleteDocumentInput!) {
    a: createDocument(input: $create) { document { id } }
    b: updateDocument(input: $update) { document { title version } }
    c: deleteDocument(input: $delete) { deletedId }
    d: createDocument(input: { source: { text: "Never reached when c fails." } }) { document { id } }
  }
`);

const Create = graphql(`
  mutation UnitCreate($input: CreateDocumentInput!) {
    createDocument(input: $input) { isDuplicate document { id title version status } }
  }
`);

const CreateAndList = graphql(`
  mutation UnitCreateAndList($input: CreateDocumentInput!) {
    createDocument(input: $input) {
      isDuplicate
      document { id title version owner { documents(first: 100) { nodes { id } } } }
    }
  }
`);

const Update = graphql(`
  mutation UnitUpdate($input: UpdateDocumentInput!) {
    updateDocument(input: $input) { document { id title version } }
  }
`);

const Refresh = graphql(`
  mutation UnitRefresh($token: String!) {
    refreshSession(input: { refreshToken: $token }) { accessToken refreshToken }
  }
`);

const RefreshAndFail = graphql(`
  mutation UnitRefreshAndFail($token: String!, $id: ID!) {
    refreshSession(input: { refreshToken: $token }) { accessToken }
    deleteDocument(input: { id: $id }) { deletedId }
  }
`);

const text = (value: string) => ({ source: { text: value } });

describe("a failed operation", () => {
  it("has never happened: no field before the one that failed, and none after it ran", async () => {
    const { id } = await ada.document();
    const before = await dump(lectern.database);
    const errors = await errorsOf(
      ada.client.request(Steps, {
        create: text("It comes in and goes out again."),
        update: { id, expectedVersion: 1, title: "Renamed" },
        delete: { id: missingDocument },
      }),
    );
    expect(errors.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [["c"], "NOT_FOUND"],
      [["a"], "ROLLED_BACK"],
      [["b"], "ROLLED_BACK"],
    ]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("answers `data: null`", async () => {
    const query = `mutation { a: createDocument(input: { source: { text: "x" } }) { isDuplicate }
      b: deleteDocument(input: { id: "${missingDocument}" }) { deletedId } }`;
    const response = await post(lectern.url, { query, accessToken: ada.accessToken });
    expect(await response.json()).toMatchObject({ data: null, errors: [{ path: ["b"] }, { path: ["a"] }] });
  });

  it("does not use up a refresh token", async () => {
    const { refreshToken: token } = await lectern.person("Eve");
    const before = await dump(lectern.database);
    const errors = await errorsOf(lectern.client().request(RefreshAndFail, { token, id: missingDocument }));
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(["NOT_FOUND", "ROLLED_BACK"]);
    expect(await dump(lectern.database)).toEqual(before);
    expect((await lectern.client().request(Refresh, { token })).refreshSession.refreshToken).not.toBe(token);
  });

  it("is one whose payload fails so deep that the null reaches the root", async () => {
    const before = await dump(lectern.database);
    const Deep = graphql(`
      mutation UnitDeep {
        first: createDocument(input: { source: { text: "The first of two." } }) { isDuplicate }
        second: createDocument(input: { source: { text: "The second of two." } }) {
          document { owner { documents(first: 100000) { nodes { id } } } }
        }
      }
    `);
    const errors = await errorsOf(ada.client.request(Deep));
    expect(errors.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [["second", "document", "owner", "documents"], "BAD_USER_INPUT"],
      [["first"], "ROLLED_BACK"],
    ]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("is one that fails at COMMIT", async () => {
    await lectern.database.query(`
      create function fail_late() returns trigger language plpgsql as $$
      begin if new.title = 'poison' then raise exception 'too late'; end if; return null; end $$;
      create constraint trigger late after insert on documents deferrable initially deferred
        for each row execute function fail_late()`);
    const before = await dump(lectern.database);
    const errors = await errorsOf(ada.client.request(Create, { input: { ...text("Late"), title: "poison" } }));
    expect(errors.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [undefined, "INTERNAL_SERVER_ERROR"],
      [["createDocument"], "ROLLED_BACK"],
    ]);
    expect(await dump(lectern.database)).toEqual(before);
    // A dry run checks what COMMIT would check.
    const dry = ada.with({ "lectern-dry-run": "true" });
    expect(await errorsOf(dry.request(Create, { input: { ...text("Late"), title: "poison" } }))).toHaveLength(2);
    await lectern.database.query("drop function fail_late cascade");
  });

  it("is one that takes too long", async () => {
    const before = await dump(lectern.database);
    let statements = 0;
    // A server of its own: on a busy machine the others' operations may take as long.
    const hurried = await startLectern({
      database: lectern.database,
      settings: { TRANSACTION_TIMEOUT_MS: "1000" },
      housekeeping: false,
      async probe(point) {
        if (point === "statement" && ++statements === 2) await pause(1_300);
      },
    });
    onTestFinished(() => hurried.stop());
    const errors = await errorsOf(
      hurried.client({ authorization: `Bearer ${ada.accessToken}` }).request(Steps, {
        create: text("Too slow."),
        update: { id: missingDocument, expectedVersion: 1 },
        delete: { id: missingDocument },
      }),
    );
    expect(errors[0]?.extensions.code).toBe("TRANSACTION_TIMEOUT");
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("is one whose client hangs up before COMMIT", async () => {
    const before = await dump(lectern.database);
    const hangUp = new AbortController();
    const points: string[] = [];
    const noticed = nextAnswerClosed();
    probe = async (point) => {
      points.push(point);
      if (point !== "statement") return;
      hangUp.abort();
      await noticed;
    };
    lines = [];
    const query = `mutation { a: createDocument(input: { source: { text: "Gone a." } }) { document { id } }
      b: createDocument(input: { source: { text: "Gone b." } }) { document { id } } }`;
    const answer = post(lectern.url, { query, accessToken: ada.accessToken, signal: hangUp.signal });
    await expect(answer).rejects.toThrow();
    await expect.poll(() => lines.map(({ msg, outcome }) => [msg, outcome])).toEqual([["unit of work", "aborted"]]);
    expect(JSON.stringify(lines)).toContain("AbandonedError");
    expect(points).toEqual(["begin", "statement"]);
    expect(await dump(lectern.database)).toEqual(before);
  });
});

/** Resolves when the server has heard that the client of its next request is there no more. */
async function nextAnswerClosed(): Promise<void> {
  const channel = "http.server.request.start";
  await new Promise<void>((closed) => {
    const onStart = (message: unknown) => {
      unsubscribe(channel, onStart);
      (message as { response: ServerResponse }).response.once("close", closed);
    };
    subscribe(channel, onStart);
  });
  // All others who listen have heard it too.
  await turn();
}

describe("an operation that succeeds", () => {
  it("sends its first byte after COMMIT", async () => {
    const order: string[] = [];
    probe = async (point, operation) => {
      if (operation !== "FirstByte") return;
      // A byte that was sent by now would arrive before the whole answer to a request that is sent now.
      if (point === "before_commit") await ada.client.request("{ viewer { user { name } } }");
      if (point === "before_commit" || point === "after_commit") order.push(point);
    };
    const query = 'mutation FirstByte { createDocument(input: { source: { text: "First byte." } }) { isDuplicate } }';
    await post(lectern.url, { query, accessToken: ada.accessToken });
    order.push("first byte");
    expect(order).toEqual(["before_commit", "after_commit", "first byte"]);
  });

  it("reads what it wrote, field after field", async () => {
    const { id } = await ada.document({ text: "Read your writes.", title: "One" });
    const Twice = graphql(`
      mutation UnitTwice($first: UpdateDocumentInput!, $second: UpdateDocumentInput!, $id: DeleteDocumentInput!) {
        first: updateDocument(input: $first) { document { title version owner { documents { totalCount nodes { title } } } } }
        second: updateDocument(input: $second) { document { title version owner { documents { totalCount nodes { title } } } } }
        third: deleteDocument(input: $id) { deletedId }
        fourth: createDocument(input: { source: { text: "In its place." } }) {
          document { owner { documents { totalCount nodes { title } } } }
        }
      }
    `);
    const answer = await ada.client.request(Twice, {
      first: { id, expectedVersion: 1, title: "Two" },
      second: { id, expectedVersion: 2, title: "Three" },
      id: { id, expectedVersion: 3 },
    });
    const titles = (field: { document: { owner: { documents: { nodes: { title: string }[] } } } }) =>
      field.document.owner.documents.nodes.map(({ title }) => title);
    expect(answer.first.document).toMatchObject({ title: "Two", version: 2 });
    expect(titles(answer.first)).toContain("Two");
    expect(answer.second.document).toMatchObject({ title: "Three", version: 3 });
    expect(titles(answer.second)).toContain("Three");
    expect(titles(answer.second)).not.toContain("Two");
    expect(titles(answer.fourth)).not.toContain("Three");
    expect(answer.fourth.document.owner.documents.totalCount).toBe(answer.second.document.owner.documents.totalCount);
  });
});

describe("a version that is not the present one", () => {
  it("is a CONFLICT that shows the object as it is now, also when SQL by hand raised it", async () => {
    const { id } = await ada.document({ title: "Mine", text: "Versions." });
    await lectern.database.query("update documents set title = 'By hand' where title = 'Mine'");
    const before = await dump(lectern.database);
    const [error] = await errorsOf(ada.client.request(Update, { input: { id, expectedVersion: 1, title: "Late" } }));
    expect(error).toMatchObject({
      path: ["updateDocument"],
      extensions: {
        code: "CONFLICT",
        currentVersion: 2,
        inputPath: ["input", "expectedVersion"],
        current: { __typename: "Document", id, title: "By hand", version: 2, status: "PENDING", visibility: "PRIVATE" },
      },
    });
    expect(error?.extensions.current).not.toHaveProperty("text");
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("an operation that others collide with", () => {
  /** Fails the first inserts of a document with this title, in one of the ways that PostgreSQL has. */
  async function collide(title: string, times: number, state: string, late = false) {
    await lectern.database.query(`
      create sequence collisions;
      grant usage on sequence collisions to lectern_server;
      create function collide() returns trigger language plpgsql as $$
      begin
        if new.title = '${title}' and nextval('collisions') <= ${times} then
          raise exception 'in the way' using errcode = '${state}';
        end if;
        return new;
      end $$;
      create ${late ? "constraint trigger collide after" : "trigger collide before"} insert on documents
        ${late ? "deferrable initially deferred" : ""} for each row execute function collide()`);
  }
  afterEach(async () => {
    await lectern.database.query("drop function if exists collide cascade; drop sequence if exists collisions");
  });

  it.each([
    ["a serialization failure in a statement", "40001", false],
    ["a deadlock", "40P01", false],
    ["a serialization failure at COMMIT", "40001", true],
  ])("happens once in spite of %s", async (how, state, late) => {
    await collide(how, 2, state, late);
    const { createDocument } = await ada.client.request(CreateAndList, { input: { ...text(how), title: how } });
    expect(createDocument).toMatchObject({ isDuplicate: false, document: { title: how, version: 1 } });
    // Nothing that an undone try read is in the answer.
    const owned = await lectern.database.query("select id from documents order by created_at desc, id desc");
    const ids = createDocument.document.owner?.documents.nodes.map(({ id }) => uuidOf(id));
    expect(ids).toEqual(owned.map(({ id }) => id).slice(0, 100));
    const [tries] = await lectern.database.query("select last_value::int as tries from collisions");
    expect(tries).toEqual({ tries: 3 });
    expect(await lectern.database.query("select 1 from documents where title = $1", [how])).toHaveLength(1);
  });

  it("is a CONFLICT when they do so every time", async () => {
    await collide("always", 1_000_000, "40001");
    const before = await dump(lectern.database);
    const errors = await errorsOf(
      ada.client.request(
        graphql(`
          mutation UnitAlways($input: CreateDocumentInput!) {
            fine: createDocument(input: { source: { text: "Nobody is in the way of this." } }) { isDuplicate }
            never: createDocument(input: $input) { isDuplicate }
          }
        `),
        { input: { ...text("always"), title: "always" } },
      ),
    );
    expect(errors.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [["never"], "CONFLICT"],
      [["fine"], "ROLLED_BACK"],
    ]);
    const [tries] = await lectern.database.query("select last_value::int as tries from collisions");
    expect(tries).toEqual({ tries: 4 });
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("a dry run", () => {
  it("answers what would happen, and nothing of it does", async () => {
    const { id } = await ada.document({ title: "Dry", text: "A document for a dry run." });
    const before = await dump(lectern.database);
    const dry = ada.with({ "lectern-dry-run": "true" });
    const { data, extensions } = await dry.rawRequest<UnitUpdateMutation>(print(Update), {
      input: { id, expectedVersion: 1, title: "Would be" },
    });
    expect(data.updateDocument.document).toEqual({ id, title: "Would be", version: 2 });
    expect(extensions).toMatchObject({ lectern: { dryRun: true } });
    expect(await dump(lectern.database)).toEqual(before);
    // The real one finds the version untouched.
    const real = await ada.client.request(Update, { input: { id, expectedVersion: 1, title: "Is" } });
    expect(real.updateDocument.document.version).toBe(2);
  });

  it("signs nobody in", async () => {
    const before = await dump(lectern.database);
    const query = `mutation {
      signUp(input: { email: "dry@lectern.test", name: "Dry", password: "a good password" }) { accessToken }
    }`;
    const response = await post(lectern.url, { query, headers: { "lectern-dry-run": "true" } });
    const { data } = (await response.json()) as { data: { signUp: { accessToken: string } } };
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(await dump(lectern.database)).toEqual(before);
    const viewer = await errorsOf(
      lectern.client({ authorization: `Bearer ${data.signUp.accessToken}` }).request("{ viewer { user { id } } }"),
    );
    expect(viewer[0]?.extensions.code).toBe("UNAUTHENTICATED");
  });

  it("does not make a token for a session that exists", async () => {
    const bob = await lectern.person("Bob");
    const before = await dump(lectern.database);
    const dry = lectern.client({ "lectern-dry-run": "true" }).request(Refresh, { token: bob.refreshToken });
    expect((await errorsOf(dry))[0]?.extensions.code).toBe("BAD_USER_INPUT");
    expect(await dump(lectern.database)).toEqual(before);
    expect(
      (await lectern.client().request(Refresh, { token: bob.refreshToken })).refreshSession.accessToken,
    ).toBeTruthy();
  });

  it("is not a real one because of a misspelling", async () => {
    const before = await dump(lectern.database);
    const errors = await errorsOf(ada.with({ "lectern-dry-run": "1" }).request(Create, { input: text("Misspelt.") }));
    expect(errors[0]?.extensions.code).toBe("BAD_USER_INPUT");
    expect(await dump(lectern.database)).toEqual(before);
  });
});
