/**
 * The guides of the sample library, checked against a server that has loaded them: their operations, SQL and Python run
 * as they are written, their settings and functions exist, and the limits that they name are the server's.
 */
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Kind, parse } from "graphql";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ZodType } from "zod";
import { settingsOf } from "../src/config.ts";
import { withClient } from "../src/database/with-client.ts";
import { chunk } from "../src/documents/worker/chunker.ts";
import { decodeGlobalId } from "../src/graphql/global-id.ts";
import { playlistSlice } from "../src/playlists/playlist.slice.ts";
import { urlAs } from "../src/postgres/roles.ts";
import {
  demoPassword,
  demoUsers,
  loadProcessedSamples,
  loadProcessedSamplesMeanwhile,
  loadSampleLibrary,
  untilProcessed,
} from "../src/sample-library.ts";
import { slices } from "../src/slices.ts";
import { docx, encoded, pdf, protectedPdf } from "./support/documents.ts";
import { type Lectern, type Person, type ShownError, startLectern } from "./support/lectern.ts";
import { until } from "./support/until.ts";
import { upload } from "./support/upload.ts";
import { python } from "./support/worker-processes.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, "prisma/sample-library");

const settings: Record<string, ZodType> = settingsOf(slices).shape;
const defaultOf = (name: string) => settings[name]?.parse(undefined) as number;

type Guide = { name: string; text: string; title: string; blocks: { language: string; code: string }[] };

const guides: Guide[] = readdirSync(folder)
  .filter((name) => name.endsWith(".md"))
  .sort()
  .map((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = "", code = ""]) => ({
      language,
      code,
    }));
    return { name, text, title: /^# (.*)/.exec(text)?.[1] ?? "", blocks };
  });
const guide = (number: number) => guides[number - 1] as Guide;
const block = (number: number, language: string, index = 0) =>
  guide(number).blocks.filter((one) => one.language === language)[index]?.code ?? "";
/** Text in backticks, outside blocks. A line break in it is a space. */
const inlineCodes = ({ text }: Guide) =>
  [...text.replace(/^```.*?^```$/gms, "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replace(/\s+/g, " "));

type Answer = {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the guides' operations are texts, so no types are generated for them.
  data?: any;
  errors?: ShownError[];
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  extensions?: any;
};
type Ask = (query: string, variables?: object, headers?: Record<string, string>) => Promise<Answer>;

let lectern: Lectern;
let [admin, editor, viewer, stranger]: Ask[] = [];

const asking =
  (authorization: Record<string, string>, server = lectern): Ask =>
  async (query, variables = {}, headers = {}) => {
    const response = await fetch(server.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...authorization, ...headers },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, headers: response.headers, ...((await response.json()) as object) };
  };
const askAs = (who: Ask | undefined, ...parameters: Parameters<Ask>) => (who as Ask)(...parameters);
const asPerson = ({ accessToken }: Person, server = lectern) =>
  asking({ authorization: `Bearer ${accessToken}` }, server);
const codesOf = ({ errors = [] }: Answer) => errors.map(({ extensions }) => extensions.code);
const traced = { "lectern-trace": "1" };

beforeAll(async () => {
  lectern = await startLectern({ worker: true });
  await loadSampleLibrary(lectern.application);
  await lectern.settled();
  const asDemoUser = async (email = "") => {
    const query = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
    const { data } = await asking({})(query, { input: { email, password: demoPassword } });
    return asking({ authorization: `Bearer ${data.signIn.accessToken}` });
  };
  [admin, editor, viewer] = await Promise.all(Object.values(demoUsers).map(({ email }) => asDemoUser(email)));
  stranger = asking({});
});
afterAll(() => lectern.stop());

/** Creates a document of a new person and waits until it is processed. */
async function processed(text: string, title = "A title"): Promise<{ person: Person; id: string; version: number }> {
  const person = await lectern.person();
  const { id } = await person.document({ text, title });
  await lectern.settled();
  const { data } = await asPerson(person)("query ($id: ID!) { document(id: $id) { version } }", { id });
  return { person, id, version: data.document.version };
}

describe("all guides", () => {
  it("have the operations and programs that are run below", () => {
    const languages = guides.map(({ blocks }) => blocks.map(({ language }) => language).join(" "));
    expect(languages).toEqual([
      "graphql graphql graphql graphql",
      "graphql json",
      "graphql graphql",
      "graphql json",
      " graphql python",
      "graphql graphql",
      "json python python",
      "graphql sh",
    ]);
  });

  it("name settings, codes and values that exist", () => {
    const errors = readFileSync(join(root, "src/errors.ts"), "utf8");
    const codes = [...errors.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code as string);
    const values = parse(readFileSync(join(root, "schema.graphql"), "utf8")).definitions.flatMap((definition) =>
      definition.kind === Kind.ENUM_TYPE_DEFINITION ? (definition.values ?? []).map(({ name }) => name.value) : [],
    );
    const known = new Set([...Object.keys(settings), ...codes, ...values, "LECTERN_PASSWORD", "OFFSET"]);
    for (const { name, ...one } of guides) {
      for (const code of inlineCodes({ name, ...one })) {
        const [, constant, value] = /^([A-Z][A-Z_]+)(?:=(\S+))?$/.exec(code) ?? [];
        if (constant === undefined) continue;
        expect([name, constant, known.has(constant)]).toEqual([name, constant, true]);
        if (value === undefined) continue;
        const setting = settings[constant];
        expect([name, code, setting?.safeParse(value).success]).toEqual([name, code, true]);
      }
    }
  });

  it("state the defaults of settings", () => {
    const said = guides.flatMap(({ text }) => [...text.matchAll(/`([A-Z_]+)`,\s+([\d,]+)\s+unless\s+set/g)]);
    expect(Object.fromEntries(said.map(([, name, value]) => [name, Number(value?.replaceAll(",", ""))]))).toEqual({
      MAX_DOCUMENT_BYTES: defaultOf("MAX_DOCUMENT_BYTES"),
      MAX_JSON_BYTES: defaultOf("MAX_JSON_BYTES"),
      WORKER_LEASE_MS: defaultOf("WORKER_LEASE_MS"),
      WORKER_ATTEMPTS: defaultOf("WORKER_ATTEMPTS"),
      ACCESS_TOKEN_SECONDS: defaultOf("ACCESS_TOKEN_SECONDS"),
      REFRESH_TOKEN_SECONDS: defaultOf("REFRESH_TOKEN_SECONDS"),
    });
  });

  it("refer to each other by title, and to files that exist", () => {
    const titles = [...guide(1).text.matchAll(/^- \*(.+?)\*:/gm)].map(([, title]) => title);
    expect(titles).toEqual(guides.slice(1).map(({ title }) => title));
    const paths = guides.flatMap(inlineCodes).flatMap((code) => code.match(/\b(?:docs|examples|src)\/[\w./-]+/g) ?? []);
    expect(new Set(paths)).toEqual(new Set(["examples/python-worker", "docs/workers.md", "src/main.ts"]));
    for (const path of paths) expect([path, existsSync(join(root, path))]).toEqual([path, true]);
  });

  it("are documents of the library, half of them the editor's", async () => {
    const query = "{ documents(first: 100) { nodes { title status owner { name } } } }";
    const { data } = await askAs(viewer, query);
    const documents = data.documents.nodes as { title: string; status: string; owner: { name: string } }[];
    expect(documents.map(({ title }) => title).sort()).toEqual(guides.map(({ title }) => title).sort());
    expect(new Set(documents.map(({ status }) => status))).toEqual(new Set(["COMPLETED"]));
    expect(documents.filter(({ owner }) => owner.name === "Edith Editor")).toHaveLength(guides.length / 2);
  });
});

describe("reading a nested query in one round trip", () => {
  it("shows the trace of GraphiQL's second tab", async () => {
    const { extensions } = await askAs(editor, block(1, "graphql", 1), {}, traced);
    const withoutTimes = (trace: Record<string, unknown>) =>
      JSON.parse(JSON.stringify(trace, (name, value) => (name === "ms" ? undefined : value)));
    expect(withoutTimes(extensions.lectern)).toEqual(withoutTimes(JSON.parse(block(2, "json"))));
  });

  it("takes five statements and one round trip for one document and for a hundred", async () => {
    for (const first of ["1", "100"]) {
      const { extensions, headers } = await askAs(
        editor,
        block(1, "graphql", 1).replace("first: 5", `first: ${first}`),
        {},
        traced,
      );
      expect(extensions.lectern).toMatchObject({ statements: 5, roundTrips: 1 });
      expect(headers.get("server-timing")).toMatch(/^db;dur=[\d.]+;desc="5 statements"$/);
    }
  });

  it("takes three statements for three fields with two asks", async () => {
    const { extensions } = await askAs(editor, block(2, "graphql"), {}, traced);
    expect(extensions.lectern).toMatchObject({ statements: 3, roundTrips: 1 });
  });

  it("takes two round trips for a search, and plans no single statement", async () => {
    const search = await askAs(editor, block(6, "graphql"), { query: "lectern" }, traced);
    expect(search.extensions.lectern.roundTrips).toBe(2);
    const single = await askAs(editor, "{ documents { nodes { title } } }", {}, traced);
    expect(single.extensions.lectern.batches).toEqual([expect.objectContaining({ planned: false })]);
  });

  it("refuses expensive and deep operations, with the numbers", async () => {
    const pages = "documents(first: 100) { nodes { chunks(first: 100) { nodes { neighbours { id } } } } }";
    const expensive = await askAs(editor, `{ ${pages} }`);
    expect(expensive.errors).toEqual([
      expect.objectContaining({
        extensions: expect.objectContaining({ code: "BAD_USER_INPUT", cost: expect.any(Number), maxCost: 5_000 }),
      }),
    ]);
    const levels = 12;
    const owners = "owner { documents(first: 1) { nodes { ";
    const deep = await askAs(
      editor,
      `{ documents(first: 1) { nodes { ${owners.repeat(levels)} id ${"} } }".repeat(levels)} } } }`,
    );
    expect(deep.errors?.[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", maxDepth: levels });
  });
});

describe("pages and cursors", () => {
  const chunksOf =
    "query ($id: ID!, $after: String) { document(id: $id) { chunks(first: 1, after: $after) { pageInfo { endCursor } } } }";

  it("walk forwards through all titles", async () => {
    const query = block(3, "graphql").replace("first: 10", "first: 3");
    const titles: string[] = [];
    for (let after: string | null = null; ; ) {
      const { data } = await askAs(viewer, query, { after });
      titles.push(...data.documents.nodes.map(({ title }: { title: string }) => title));
      after = data.documents.pageInfo.endCursor;
      if (!data.documents.pageInfo.hasNextPage) break;
    }
    expect(titles).toEqual(guides.map(({ title }) => title).sort());
  });

  it("accept the sizes that the guide states", async () => {
    for (const size of ["first: 0", "first: -1", "first: 101", "last: 101", "first: 1, last: 1"]) {
      const answer = await askAs(viewer, `{ documents(${size}) { nodes { id } } }`);
      expect([size, codesOf(answer)]).toEqual([size, ["BAD_USER_INPUT"]]);
    }
    const count = await askAs(viewer, "{ documents { totalCount } }", {}, traced);
    expect(count.extensions.lectern.batches).toEqual([
      expect.objectContaining({ relation: "Documents.count", rows: 1 }),
    ]);
  });

  it("cut the pages below a page off in one statement", async () => {
    const { data, extensions } = await askAs(viewer, block(3, "graphql", 1), {}, traced);
    expect(data.documents.nodes).toHaveLength(5);
    const { batches } = extensions.lectern as { batches: { relation: string; rows: number }[] };
    expect(batches.filter(({ relation }) => relation === "ChunksByDocument").map(({ rows }) => rows)).toEqual([15]);
  });

  it("refuse a cursor that was changed or belongs to another order", async () => {
    const { data } = await askAs(viewer, block(3, "graphql"));
    const { endCursor } = data.documents.pageInfo;
    for (const after of [`x${endCursor}`, endCursor]) {
      const answer = await askAs(viewer, "query ($after: String) { documents(after: $after) { nodes { id } } }", {
        after,
      });
      expect(answer.errors?.[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", inputPath: ["after"] });
    }
  });

  it("refuse a cursor of chunks that were replaced", async () => {
    const { person, id } = await processed("A text.");
    const ask = asPerson(person);
    const { data } = await ask(chunksOf, { id });
    const after = data.document.chunks.pageInfo.endCursor;
    expect((await ask(chunksOf, { id, after })).errors).toBeUndefined();
    await ask("mutation ($id: ID!) { reprocessDocument(input: { id: $id }) { document { status } } }", { id });
    await lectern.settled();
    const { errors } = await ask(chunksOf, { id, after });
    expect(errors?.[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", reason: "CURSOR_OUT_OF_DATE" });
  });
});

describe("the first steps", () => {
  it("sign in, and set cookies that no script reads", async () => {
    const answer = await askAs(stranger, block(1, "graphql"));
    expect(answer.data.signIn.user).toEqual({ name: "Edith Editor", role: "EDITOR" });
    const cookies = answer.headers.getSetCookie();
    expect(cookies.map((cookie) => cookie.split("=", 1)[0])).toEqual(["lectern-access", "lectern-refresh"]);
    for (const cookie of cookies) expect(cookie).toMatch(/; HttpOnly; SameSite=Lax$/);
  });

  it("add a private text, once, and find it", async () => {
    const ask = asPerson(await lectern.person());
    const first = await ask(block(1, "graphql", 2));
    const { document } = first.data.createDocument;
    expect(first.data.createDocument).toMatchObject({ isDuplicate: false, document: { title: "My note", version: 1 } });
    expect(document.status).toBe("PENDING");
    expect((await ask(block(1, "graphql", 2))).data.createDocument).toMatchObject({
      isDuplicate: true,
      document: { id: document.id },
    });
    await lectern.settled();
    const { data } = await ask(block(1, "graphql", 3));
    expect(data.searchChunks.nodes[0].chunk.document.title).toBe("My note");
    const query = "query ($id: ID!) { document(id: $id) { status } }";
    expect((await askAs(viewer, query, { id: document.id })).data.document).toBeNull();
    expect((await askAs(admin, query, { id: document.id })).data.document).toEqual({ status: "COMPLETED" });
  });

  it("find a guide by its title", async () => {
    const [query = ""] = inlineCodes(guide(1)).filter((code) => code.startsWith("{ documents("));
    const { data } = await askAs(viewer, query);
    expect(data.documents.nodes).toEqual([{ title: guide(3).title, text: guide(3).text }]);
  });
});

describe("the sounds", () => {
  const sounds = readdirSync(folder).filter((name) => !name.endsWith(".md"));

  it("are the editor's, with the labels of the samples, and processed by the worker", async () => {
    const { data } = await askAs(
      viewer,
      `{ audios(orderBy: { field: TITLE, direction: ASC }) { nodes {
        title artist album status mimeType durationMs category { name } event { name } uploadedBy { name }
      } } }`,
    );
    const common = {
      artist: "Lectern",
      album: "Sample Library",
      status: "COMPLETED",
      mimeType: "audio/mpeg",
      event: { name: "Opening" },
      uploadedBy: { name: demoUsers.editor.name },
    };
    const seconds = ({ durationMs, ...rest }: { durationMs: number }) => ({
      ...rest,
      seconds: Math.round(durationMs / 1_000),
    });
    expect(data.audios.nodes.map(seconds)).toEqual([
      { ...common, title: "Broken Chords", category: { name: "Music" }, seconds: 8 },
      { ...common, title: "Slow Bells", category: { name: "Music" }, seconds: 7 },
      { ...common, title: "Welcome to Lectern", category: { name: "Speech" }, seconds: 8 },
    ]);
  });

  it("are not waited for by a first start, unlike the guides", async () => {
    const asked: string[] = [];
    const read = async ({ text }: { text: string }) => {
      asked.push(text);
      return [];
    };
    await untilProcessed({ slices, reads: { read } });
    expect(asked).toEqual([expect.stringMatching(/"documents"/)]);
    expect(asked).toEqual([expect.not.stringMatching(/"audio"/)]);
  });

  it("are short files, which are served as they are, or converted", async () => {
    const query = inlineCodes(guide(1)).find((code) => code.startsWith("{ audios")) as string;
    const { data } = await askAs(viewer, query);
    const files = sounds.map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
    for (const { name, bytes } of files) expect([name, bytes.length < 60_000]).toEqual([name, true]);
    const addresses = data.audios.nodes.map(({ url }: { url: string }) => new URL(url));
    const origin = new URL(lectern.url).origin;
    const served = await Promise.all(
      addresses.map(async ({ pathname, search }: URL) => {
        const response = await fetch(`${origin}${pathname}${search}`);
        const bytes = Buffer.from(await response.arrayBuffer());
        return [response.status, files.find((file) => file.bytes.equals(bytes))?.name ?? "converted"];
      }),
    );
    expect(served.sort()).toEqual([
      [200, "broken-chords.mp3"],
      [200, "converted"],
      [200, "welcome.mp3"],
    ]);
    for (const { waveformUrl } of data.audios.nodes) expect(new URL(waveformUrl).pathname).toMatch(/\.svg$/);
  });
});

describe("the playlists", () => {
  const shown =
    "{ playlists { nodes { name owner { name } trackCount durationMs tracks(first: 4) { nodes { audio { title } } } } } }";

  it("are made of the sounds when workers have decoded them, a short one and one of an hour", async () => {
    const before = await askAs(viewer, shown);
    expect(before.data.playlists.nodes).toEqual([]);
    expect(await loadProcessedSamples(lectern.application)).toBe(true);
    const { data } = await askAs(viewer, shown);
    const [daytime, lobby] = data.playlists.nodes;
    const titles = ["Welcome to Lectern", "Slow Bells", "Broken Chords"].map((title) => ({ audio: { title } }));
    expect(lobby).toMatchObject({
      name: "Lobby",
      owner: { name: demoUsers.editor.name },
      trackCount: 3,
      tracks: { nodes: titles },
    });
    expect(daytime).toMatchObject({ name: "Daytime", tracks: { nodes: [...titles, titles[0]] } });
    expect(daytime.durationMs).toBeGreaterThanOrEqual(3_600_000);
    expect(daytime.durationMs).toBeLessThan(3_600_000 + lobby.durationMs);
  });

  it("are shown and built by GraphiQL's tabs", async () => {
    const [reading = "", building = ""] = (playlistSlice.tabs ?? []).map(({ query }) => query);
    const read = await askAs(viewer, reading);
    expect(read.errors).toBeUndefined();
    expect(read.data.playlists.nodes.map(({ name }: { name: string }) => name)).toEqual(["Daytime", "Lobby"]);
    expect(read.data.playlists.nodes[1].tracks.nodes[0].audio.title).toBe("Welcome to Lectern");
    const built = await askAs(editor, building);
    expect(built.data.createPlaylist.playlist).toMatchObject({ name: "Evening", version: 1, trackCount: 0 });
    expect(codesOf(await askAs(viewer, building))).toEqual(["FORBIDDEN"]);
  });

  /** An application whose queues have open rows as long as the test wants. */
  const waiting = (isOpen: () => boolean) => {
    const log: string[] = [];
    const read = async () => (isOpen() ? [{ one: 1 }] : []);
    const logger = pino({ level: "warn" }, { write: (line) => void log.push(JSON.parse(line).msg) });
    return { application: { ...lectern.application, reads: { read } }, log, logger };
  };

  it("are given up after a time without workers", async () => {
    const { application } = waiting(() => true);
    expect(await loadProcessedSamples(application, { timeoutMs: 100 })).toBe(false);
  });

  it("do not keep a server from stopping, which is no failure", async () => {
    const { application, log, logger } = waiting(() => true);
    const stop = loadProcessedSamplesMeanwhile(application, logger);
    await stop();
    expect(log).toEqual([]);
  });

  it("do not stop a server when they cannot be made, which the log says", async () => {
    const { application, log, logger } = waiting(() => {
      throw new Error("The database is gone.");
    });
    const stop = loadProcessedSamplesMeanwhile(application, logger);
    await until(() => log.length > 0, "the failure is logged");
    await stop();
    expect(log).toEqual(["a part of the sample library could not be loaded"]);
  });
});

describe("one operation, one transaction", () => {
  const create =
    "mutation ($text: String!) { createDocument(input: { source: { text: $text } }) { isDuplicate document { id version } } }";

  it("fails whole, with the response that the guide shows", async () => {
    const ask = asPerson(await lectern.person());
    const { data, errors } = await ask(block(4, "graphql"));
    const shown = errors?.map(({ message, path, extensions: { requestId: _, ...extensions } }) => ({
      message,
      path,
      extensions,
    }));
    expect({ data, errors: shown }).toEqual(JSON.parse(block(4, "json")));
    expect((await ask(create, { text: "The first note." })).data.createDocument.isDuplicate).toBe(false);
  });

  it("continues as the new user after a sign-up", async () => {
    const input = { email: "new@lectern.test", name: "New", password: "a good password" };
    const { data } = await askAs(
      stranger,
      `mutation ($input: SignUpInput!) {
        signUp(input: $input) { user { name } }
        createDocument(input: { source: { text: "A first document." } }) { document { owner { name } } }
      }`,
      { input },
    );
    expect(data.createDocument.document.owner).toEqual({ name: "New" });
  });

  it("shows the current document when the version is not the expected one", async () => {
    const { person, id, version } = await processed("Versions.");
    const { errors } = await asPerson(person)(
      `mutation ($id: ID!) { updateDocument(input: { id: $id, expectedVersion: 1, title: "B" }) { document { id } } }`,
      { id },
    );
    expect(errors?.[0]?.extensions).toMatchObject({
      code: "CONFLICT",
      currentVersion: version,
      current: { id, title: "A title" },
    });
  });

  it("executes a repeated request once, and a dry run not at all", async () => {
    const ask = asPerson(await lectern.person());
    const key = { "idempotency-key": "7d0cb1ce-2f0e-4b0e-9c0e-0d8f2f6a3a11" };
    const first = await ask(create, { text: "Keyed." }, key);
    const second = await ask(create, { text: "Keyed." }, key);
    expect(second.data).toEqual(first.data);
    expect(second.data.createDocument.isDuplicate).toBe(false);
    expect([first, second].map(({ headers }) => headers.get("idempotent-replay"))).toEqual([null, "true"]);
    expect(codesOf(await ask(create, { text: "Other." }, key))).toEqual(["IDEMPOTENCY_MISMATCH"]);
    for (const wrong of ["two words", "x".repeat(256)]) {
      expect(codesOf(await ask(create, { text: "Keyed." }, { "idempotency-key": wrong }))).toEqual(["BAD_USER_INPUT"]);
    }
    expect(codesOf(await askAs(stranger, block(8, "graphql"), {}, key))).toEqual(["BAD_USER_INPUT"]);
    const dry = await ask(create, { text: "Dry." }, { "lectern-dry-run": "true" });
    expect(dry.extensions.lectern).toEqual({ dryRun: true });
    expect((await ask(create, { text: "Dry." })).data.createDocument.isDuplicate).toBe(false);
  });
});

describe("the life of a document", () => {
  const text = (content: string) => new File([content], "name.txt");

  it("begins with a text, or is refused", async () => {
    const ask = asPerson(await lectern.person());
    const query =
      "mutation ($text: String!) { createDocument(input: { source: { text: $text } }) { document { id } } }";
    const cases: [string, string][] = [
      [" \n\t", "BAD_USER_INPUT"],
      ["a\0b", "BAD_USER_INPUT"],
      ["half \ud800", "BAD_USER_INPUT"],
      ["x".repeat(1_000_000), "PAYLOAD_TOO_LARGE"],
    ];
    for (const [content, code] of cases) expect(codesOf(await ask(query, { text: content }))).toEqual([code]);
    const { data } = await ask("{ viewer { user { documents { totalCount } } } }");
    expect(data.viewer.user.documents.totalCount).toBe(0);
  });

  it("begins with a file of one of the formats, or is refused", async () => {
    const person = await lectern.person();
    const refusals: [File, string][] = [
      [text(""), "BAD_USER_INPUT"],
      [text(" \n"), "BAD_USER_INPUT"],
      [new File([Buffer.from("89504e470d0a1a0a0000000d49484452", "hex")], "name.md"), "UNSUPPORTED_MEDIA_TYPE"],
      [text("a\0b"), "UNSUPPORTED_MEDIA_TYPE"],
      [new File([Buffer.alloc(20_000_001, "x")], "name.txt"), "PAYLOAD_TOO_LARGE"],
    ];
    for (const [file, code] of refusals) {
      const { errors } = await upload(lectern, person, file);
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
    }
    const french = "Les élèves répètent: où êtes-vous, à l'été, chère Hélène? Ça va très bien, près de la forêt.";
    const accepted: [File, string, string][] = [
      [new File([`\ufeff# Heading\r\n\r\ne\u0301 `], "name.pdf"), "text/plain", "Heading"],
      [new File(["No heading."], "My notes.markdown"), "text/markdown", "My notes"],
      [new File(["<title>A page</title><p>Words.</p>"], "name.txt"), "text/html", "A page"],
      [new File([Buffer.from(pdf(["Words of a PDF."]))], "A paper.txt"), "application/pdf", "A paper"],
      [new File([Buffer.from(docx(["Words of a letter."]))], "A letter"), "application/vnd.openxmlformats", "A letter"],
      [new File([Buffer.from(encoded(french, "windows-1252"))], "École.txt"), "text/plain", "École"],
      [new File([Buffer.from("\ufeffUTF-16.", "utf16le")], "Wide.txt"), "text/plain", "Wide"],
    ];
    for (const [file, type, title] of accepted) {
      const { data, errors } = await upload(lectern, person, file);
      expect([errors, data?.createDocument.document.title]).toEqual([undefined, title]);
      const found = await asPerson(person)("query ($id: ID!) { document(id: $id) { mimeType sizeBytes } }", {
        id: data?.createDocument.document.id,
      });
      expect(found.data.document).toMatchObject({
        mimeType: expect.stringContaining(type),
        sizeBytes: file.size,
      });
    }
    await lectern.settled();
    const query = "{ viewer { user { documents(first: 100) { nodes { title status text } } } } }";
    const { nodes } = (await asPerson(person)(query)).data.viewer.user.documents;
    const texts = Object.fromEntries(nodes.map((node: { title: string; text: string }) => [node.title, node.text]));
    expect(texts).toEqual({
      Heading: "# Heading\r\n\r\ne\u0301 ",
      "My notes": "No heading.",
      "A page": "Words.",
      "A paper": "Words of a PDF.",
      "A letter": expect.stringMatching(/^Words of a letter\.\s*$/),
      École: french,
      Wide: "UTF-16.",
    });
  });

  it("fails at the first attempt where no text can be read", async () => {
    const person = await lectern.person();
    await upload(lectern, person, new File([Buffer.from(protectedPdf())], "secret.pdf"));
    await upload(lectern, person, new File([Buffer.from(pdf([""]))], "scan.pdf"));
    await lectern.settled();
    const query = "{ viewer { user { documents { nodes { status attempts failure text } } } } }";
    const { data } = await asPerson(person)(query);
    const failed = { status: "FAILED", attempts: 1, failure: expect.any(String), text: null };
    expect(data.viewer.user.documents.nodes).toEqual([failed, failed]);
  });

  it("names documents as the guide says", async () => {
    const ask = asPerson(await lectern.person());
    const query =
      "mutation ($text: String!, $title: String) { createDocument(input: { source: { text: $text }, title: $title }) { document { title } } }";
    const titleOf = async (content: string) => (await ask(query, { text: content })).data.createDocument.document.title;
    expect(await titleOf("First line\n\n## Heading")).toBe("Heading");
    expect(await titleOf("First line\nSecond line")).toBe("First line");
    expect(await titleOf(`Start\n${"x ".repeat(5_000)}\n# Too late`)).toBe("Start");
    expect(await titleOf(`# ${"x".repeat(300)}`)).toHaveLength(200);
    expect(codesOf(await ask(query, { text: "a", title: "x".repeat(501) }))).toEqual(["BAD_USER_INPUT"]);
  });

  it("has the states that the guide lists", async () => {
    const rows = await lectern.database.query("select unnest(enum_range(null::work_status))::text as status");
    const listed = [...guide(5).text.matchAll(/^- `([A-Z]+)`:/gm)].map(([, status]) => status);
    expect(listed).toEqual(rows.map(({ status }) => status));
  });

  it("shows progress of a long document", async () => {
    const person = await lectern.person();
    const { data } = await upload(lectern, person, text("A sentence of a long text. ".repeat(120_000)));
    const id = data?.createDocument.document.id ?? "";
    await lectern.settled(60_000);
    const [{ raised } = {}] = await lectern.database.query(
      "select count(distinct payload->>'progress')::int as raised from outbox where row_id = $1",
      [decodeGlobalId("Document", id, [])],
    );
    expect(raised).toBeGreaterThan(2);
  });

  it("makes chunks that can be cut out of the text, in JavaScript and in Python", async () => {
    const verse = "𝒳 Trăm năm trong cõi người ta. ".repeat(200);
    const { person, id, version } = await processed(verse);
    expect(version).toBe(3);
    const { data } = await asPerson(person)(block(5, "graphql"), { id });
    const { chunks, text: whole } = data.document;
    expect(chunks.totalCount).toBeGreaterThan(5);
    let end = 0;
    for (const [place, chunk] of chunks.nodes.entries()) {
      expect(chunk.index).toBe(place);
      expect(chunk.text.length).toBeLessThanOrEqual(1_001);
      expect(whole.slice(chunk.startOffset, chunk.endOffset)).toBe(chunk.text);
      expect(whole.slice(end, chunk.startOffset).trim()).toBe("");
      end = chunk.endOffset;
    }
    expect(whole.slice(end).trim()).toBe("");
    if (!python) return;
    const [, second] = chunks.nodes;
    const program = `import sys, json\ntext, start, end = json.load(sys.stdin)\nprint(${block(5, "python").trim()}, end="")`;
    const input = JSON.stringify([whole, second.startOffset, second.endOffset]);
    const output = execFileSync(python, ["-c", program], { input, env: { PYTHONIOENCODING: "utf-8" } });
    expect(output.toString()).toBe(second.text);
  });

  it("can be changed by its owner, processed again when it has ended, and deleted", async () => {
    const { person, id, version } = await processed("Mine.");
    const update =
      "mutation ($id: ID!, $version: Int!) { updateDocument(input: { id: $id, expectedVersion: $version, visibility: SHARED }) { document { version } } }";
    expect(codesOf(await askAs(editor, update, { id, version }))).toEqual(["NOT_FOUND"]);
    expect((await asPerson(person)(update, { id, version })).data.updateDocument.document.version).toBe(version + 1);
    expect(codesOf(await askAs(editor, update, { id, version }))).toEqual(["FORBIDDEN"]);
    const again = "mutation ($id: ID!) { reprocessDocument(input: { id: $id }) { document { status attempts } } }";
    expect((await asPerson(person)(again, { id })).data.reprocessDocument.document).toEqual({
      status: "PENDING",
      attempts: 0,
    });
    const twice =
      "mutation ($id: ID!) { a: reprocessDocument(input: { id: $id }) { document { id } } b: reprocessDocument(input: { id: $id }) { document { id } } }";
    await lectern.settled();
    expect(codesOf(await asPerson(person)(twice, { id }))).toEqual(["INVALID_STATE", "ROLLED_BACK"]);
    const { data } = await asPerson(person)(
      "mutation ($id: ID!) { deleteDocument(input: { id: $id }) { deletedId } }",
      { id },
    );
    expect(data.deleteDocument.deletedId).toBe(id);
  });

  it("has up to ten neighbours on each side", async () => {
    const { person } = await processed("Neighbours.");
    const ask = asPerson(person);
    const query = (distance: number) =>
      `{ viewer { user { documents { nodes { chunks { nodes { neighbours(after: ${distance}) { index } } } } } } } }`;
    expect((await ask(query(10))).errors).toBeUndefined();
    expect(codesOf(await ask(query(11)))).toEqual(["BAD_USER_INPUT"]);
  });
});

describe("searching the library", () => {
  let ask: Ask;
  const texts: Record<string, string> = {
    exact: "Con đường dài",
    folded: "con duong xa",
    rain: "con đường mưa",
    plainRain: "con đường mua",
    road: "A long road < there",
    café: "cafe\u0301 người",
    "Người Đẹp": "Titles one.",
    "Chuyện người đẹp": "Titles two.",
  };
  /** Titles of hits among the texts above: the guide itself contains all of its examples. */
  const ownTitlesOf = async (query: string) => (await titlesOf(query)).filter((title) => title in texts);
  const titlesOf = async (query: string) => {
    const { data, errors } = await ask(block(6, "graphql"), { query });
    expect(errors).toBeUndefined();
    const hits = data.searchChunks.nodes as { chunk: { document: { title: string } } }[];
    return hits.map((hit) => hit.chunk.document.title);
  };

  beforeAll(async () => {
    const person = await lectern.person();
    ask = asPerson(person);
    for (const [title, text] of Object.entries(texts)) await person.document({ title, text });
    await lectern.settled();
  });

  it("finds the verse without accents, and as a phrase", async () => {
    expect(await titlesOf("tram nam trong coi nguoi ta")).toContain(guide(6).title);
    expect(await titlesOf('"chu tai chu menh"')).toEqual(expect.arrayContaining([guide(6).title]));
  });

  it("folds accents on both sides and ranks exact ones first", async () => {
    const exact = await ownTitlesOf("đường con");
    expect(exact.at(-1)).toBe("folded");
    expect(exact.slice(0, -1).sort()).toEqual(["exact", "plainRain", "rain"]);
    expect((await ownTitlesOf("duong con"))[0]).toBe("folded");
    expect(await ownTitlesOf("cafe")).toContain("café");
  });

  it("understands words, phrases, alternatives and exclusions", async () => {
    expect(await ownTitlesOf("chunk there")).toEqual([]);
    expect(await ownTitlesOf('"duong dai"')).toEqual(["exact"]);
    expect(await ownTitlesOf('"dai duong"')).toEqual([]);
    expect((await ownTitlesOf("đường dài or road")).sort()).toEqual(["exact", "road"]);
    expect((await ownTitlesOf("đường con -mưa")).sort()).toEqual(["exact", "folded"]);
    expect((await ownTitlesOf('đường con -"duong mua"')).sort()).toEqual(["exact", "folded"]);
    expect(await ownTitlesOf("?!")).toEqual([]);
    // No query is a syntax error.
    for (const odd of ['or "', "-", "( or )", '""', "a:*&|!<->"]) await ownTitlesOf(odd);
  });

  it("adds 1 to the score of exact accents, and escapes snippets", async () => {
    const { data } = await ask(block(6, "graphql"), { query: "road" });
    const [{ score, snippet }] = data.searchChunks.nodes;
    expect(snippet).toBe("A long <mark>road</mark> &lt; there");
    expect(score).toBeGreaterThan(1);
    expect(score).toBeLessThan(2);
  });

  it("has the limits that the guide states", async () => {
    const codesFor = async (query: string, documentIds: string[] | null = null) =>
      codesOf(
        await ask(
          "query ($query: String!, $documentIds: [ID!]) { searchChunks(query: $query, documentIds: $documentIds) { totalCount } }",
          {
            query,
            documentIds,
          },
        ),
      );
    expect(await codesFor("x".repeat(1_000))).toEqual([]);
    expect(await codesFor("x".repeat(1_001))).toEqual(["BAD_USER_INPUT"]);
    expect(await codesFor(" ")).toEqual(["BAD_USER_INPUT"]);
    const { data } = await ask("{ documents(first: 1) { nodes { id } } }");
    const ids = (count: number) => Array.from({ length: count }, () => data.documents.nodes[0].id);
    expect(await codesFor("x", ids(100))).toEqual([]);
    expect(await codesFor("x", ids(101))).toEqual(["BAD_USER_INPUT"]);
  });

  it("finds titles by a part, in another order, and with a mistake", async () => {
    const { data } = await ask(block(6, "graphql", 1));
    expect(data.documents.nodes.map(({ title }: { title: string }) => title).sort()).toEqual([
      "Chuyện người đẹp",
      "Người Đẹp",
    ]);
    for (const search of ["UYEN NG", "dep nguoi", "chuyem nguoi"]) {
      const found = await ask(
        "query ($search: String!) { documents(filter: { search: $search }) { nodes { title } } }",
        {
          search,
        },
      );
      expect([search, JSON.stringify(found.data)]).toEqual([search, expect.stringContaining("Chuyện người đẹp")]);
    }
  });
});

describe("workers in other languages", () => {
  let other: Lectern;
  let person: Person;

  beforeAll(async () => {
    // Without a worker of ours.
    other = await startLectern();
    person = await other.person();
  });
  afterAll(() => other.stop());

  const lines = (JSON.parse(block(7, "json")) as { text: string }[]).map(({ text }) => text);
  const chunks = async () =>
    other.database.query(
      `select text, start_offset as "startOffset", end_offset as "endOffset", token_count as "tokenCount"
       from chunks order by document_id desc, index limit 2`,
    );

  it("follow the contract to the letter", async () => {
    const calls = ["extend_document_lease", "complete_document", "fail_document", "release_document"].map(
      (name) => inlineCodes(guide(7)).find((code) => code.startsWith(`select ${name}`)) ?? "missing",
    );
    const [extend, complete, fail, release] = calls as [string, string, string, string];
    const claim = inlineCodes(guide(7)).find((code) => code.startsWith("select * from claim_documents")) ?? "missing";
    await person.document({ text: lines.join("\n") });
    await withClient(urlAs(other.database.url, "lectern_worker"), async (client) => {
      await client.query("select release_expired_documents()");
      const { rows, fields } = await client.query(claim);
      const columns = /Each row has (.*?)\. /s.exec(guide(7).text)?.[1] ?? "";
      expect(fields.map(({ name }) => name)).toEqual([...columns.matchAll(/`(\w+)`/g)].map(([, name]) => name));
      const verdicts: unknown[] = [];
      for (const call of [extend, complete, complete, fail, release, extend]) {
        const text = call.replace("id, claim", "$1::uuid, $2::uuid").replace("chunks)", "$3::jsonb)");
        const parameters = [rows[0].id, rows[0].claim, ...(text.includes("$3") ? [block(7, "json")] : [])];
        verdicts.push(...Object.values((await client.query(text, parameters)).rows[0]));
      }
      expect(verdicts).toEqual([true, true, true, false, false, false]);
    });
    expect(await chunks()).toEqual(JSON.parse(block(7, "json")));
  });

  it("have the token counts and offsets of Lectern's own worker", async () => {
    for await (const { text, tokenCount } of chunk(lines.join("\n\n".repeat(500)), () => {})) {
      expect(JSON.parse(block(7, "json"))).toContainEqual(expect.objectContaining({ text, tokenCount }));
    }
  });

  it.skipIf(python === null)("run the loop in Python", async () => {
    await person.document({ text: "𝒳 one. Two.", title: "Python" });
    const program = `import asyncio, asyncpg, json, os
cut = lambda text: text.partition("Two")
count_tokens = len
${block(7, "python")}
${block(7, "python", 1)}
async def main():
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    print(await work_once(connection), await work_once(connection))
    await connection.close()
asyncio.run(main())`;
    // As the owner: asyncpg does not take the role from the parameter `options` of a URL.
    const environment = { DATABASE_URL: other.database.url, PYTHONIOENCODING: "utf-8" };
    const { stdout } = await promisify(execFile)(python as string, ["-c", program], { env: environment });
    expect(stdout).toBe("1 0\n");
    const { data } = await asPerson(
      person,
      other,
    )(`{ documents(filter: { search: "Python" }) { nodes { chunks { nodes { text startOffset endOffset } } } } }`);
    expect(data.documents.nodes[0].chunks.nodes).toEqual([
      { text: "𝒳 one. ", startOffset: 0, endOffset: 8 },
      { text: "Two", startOffset: 8, endOffset: 11 },
      { text: ".", startOffset: 11, endOffset: 12 },
    ]);
  });

  it("show what is open, and notify", async () => {
    const { data } = await asPerson(
      person,
      other,
    )(
      `{ ${inlineCodes(guide(7)).find((code) => code.startsWith("documents(filter"))} { nodes { attempts progress failure } } }`,
    );
    expect(data.documents.nodes).toEqual([]);
    await withClient(other.database.url, async (client) => {
      const notified = once(client, "notification");
      await client.query(inlineCodes(guide(7)).find((code) => code.startsWith("LISTEN")) ?? "missing");
      await person.document();
      await notified;
    });
  });
});

describe("accounts, roles and sessions", () => {
  it("let strangers sign up and sign in, and nothing else", async () => {
    expect((await askAs(stranger, "{ viewer { user { id } } }")).data).toEqual({ viewer: null });
    for (const query of ["{ documents { totalCount } }", "{ users { totalCount } }", "mutation { signOut { ok } }"]) {
      expect([query, codesOf(await askAs(stranger, query))]).toEqual([query, ["UNAUTHENTICATED"]]);
    }
    const { data } = await askAs(stranger, block(8, "graphql"));
    const session = data.signIn;
    expect(session.user).toEqual({ name: "Victor Viewer", role: "VIEWER" });
    const lifeMs = new Date(session.expiresAt).getTime() - Date.now();
    expect(Math.round(lifeMs / 10_000)).toBe(defaultOf("ACCESS_TOKEN_SECONDS") / 10);
    const refresh = "mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { refreshToken } }";
    const next = await askAs(stranger, refresh, { token: session.refreshToken });
    expect(next.data.refreshSession.refreshToken).not.toBe(session.refreshToken);
    // A second use ends the session for everybody.
    expect(codesOf(await askAs(stranger, refresh, { token: session.refreshToken }))).toEqual(["UNAUTHENTICATED"]);
    expect(codesOf(await askAs(stranger, refresh, { token: next.data.refreshSession.refreshToken }))).toEqual([
      "UNAUTHENTICATED",
    ]);
    const old = asking({ authorization: `Bearer ${session.accessToken}` });
    await expect.poll(async () => codesOf(await old("{ users { totalCount } }"))).toEqual(["UNAUTHENTICATED"]);
    expect((await old(block(8, "graphql"))).errors).toBeUndefined();
  });

  it("bound names and passwords", async () => {
    const query = "mutation ($input: SignUpInput!) { signUp(input: $input) { user { role } } }";
    const input = { email: "bounds@lectern.test", name: "x".repeat(200), password: "x".repeat(128) };
    const wrong = [
      { ...input, name: " " },
      { ...input, name: "x".repeat(201) },
      { ...input, password: "x".repeat(7) },
      { ...input, password: "x".repeat(129) },
    ];
    for (const one of wrong) expect(codesOf(await askAs(stranger, query, { input: one }))).toEqual(["BAD_USER_INPUT"]);
    expect((await askAs(stranger, query, { input })).data.signUp.user).toEqual({ role: "VIEWER" });
    const taken = { ...input, email: "BOUNDS@lectern.test" };
    expect(codesOf(await askAs(stranger, query, { input: taken }))).toEqual(["DUPLICATE"]);
    const signIn = "mutation ($input: SignInInput!) { signIn(input: $input) { user { id } } }";
    const [unknown, mistaken] = await Promise.all(
      ["nobody@lectern.test", input.email].map((email) =>
        askAs(stranger, signIn, { input: { email, password: "a wrong password" } }),
      ),
    );
    expect(codesOf(unknown as Answer)).toEqual(["UNAUTHENTICATED"]);
    expect(unknown?.errors?.[0]?.message).toBe(mistaken?.errors?.[0]?.message);
  });

  it("give admins more than others", async () => {
    const users = '{ users(first: 1, search: "Ada Admin") { nodes { id email } } }';
    const [ada] = (await askAs(admin, users)).data.users.nodes;
    expect(ada.email).toBe("admin@lectern.example");
    expect((await askAs(editor, users)).data.users.nodes).toEqual([{ id: ada.id, email: null }]);
    const demote = "mutation ($id: ID!) { setUserRole(input: { userId: $id, role: VIEWER }) { user { role } } }";
    expect(codesOf(await askAs(editor, demote, ada))).toEqual(["FORBIDDEN"]);
    expect(codesOf(await askAs(admin, demote, ada))).toEqual(["INVALID_STATE"]);
  });

  it("are protected against CSRF", async () => {
    const url = `${lectern.url}?query=${encodeURIComponent("{ viewer { user { id } } }")}`;
    const statusWith = async (headers: Record<string, string>) => (await fetch(url, { headers })).status;
    expect(await statusWith({})).toBe(403);
    expect(await statusWith({ "graphql-require-preflight": "1" })).toBe(200);
    expect(await statusWith({ "sec-fetch-site": "same-origin" })).toBe(200);
    const form = new URLSearchParams({ query: "{ viewer { user { id } } }" });
    expect((await fetch(lectern.url, { method: "POST", body: form })).status).toBe(403);
    expect((await askAs(stranger, "{ viewer { user { id } } }", {}, { cookie: "lectern-access=wrong" })).data).toEqual({
      viewer: null,
    });
  });
});
