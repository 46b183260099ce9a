/**
 * kill -9 of the server while every mutation of the API is at the same point, then the checks of `doctor`: each has
 * happened whole or not at all, and a client that asks the next server with its key is told which. No row misses its
 * file, and what a dead server has left of files goes.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { buildSchema } from "../../src/graphql/schema.ts";
import { fileColumnsOf } from "../../src/slice.ts";
import { slices } from "../../src/slices.ts";
import { sweepFiles } from "../../src/storage/file-sweep.ts";
import { findNamed } from "../../src/storage/named-files.ts";
import type { TransactionPoint } from "../../src/unit-of-work/transaction-guard.ts";
import { begin, environmentBeside, run } from "../support/command.ts";
import { dump } from "../support/dump.ts";
import { filesOf } from "../support/files.ts";
import { globalIdOf, uuidOf } from "../support/global-ids.ts";
import { countsIn, integrityOf } from "../support/integrity.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";
import { makeMp3 } from "../support/sounds.ts";
import { until } from "../support/until.ts";
import { postFile } from "../support/upload.ts";

const schema = await buildSchema(slices);

let lectern: Lectern;
let admin: Person;
let ada: Person;
let ed: Person;
let environment: Record<string, string>;

beforeAll(async () => {
  // What is done after an answer is left to the servers that are killed, and to those that follow.
  lectern = await startLectern({ worker: true, housekeeping: false });
  admin = await lectern.person("Admin", "ADMIN");
  ada = await lectern.person("Ada");
  ed = await lectern.person("Ed", "EDITOR");
  environment = {
    ...environmentBeside(lectern),
    // One for each mutation, since all of them are halted at once.
    WRITE_CONNECTIONS: String(names.length),
    // Nothing but the kill ends what has stopped, on a slow machine too, and all get that far.
    TRANSACTION_TIMEOUT_MS: "60000",
    STATEMENT_TIMEOUT_MS: "60000",
    LOCK_TIMEOUT_MS: "60000",
    WRITE_WAIT_MS: "60000",
    // On a busy machine, a server that has just started would refuse some of them.
    MAX_EVENT_LOOP_DELAY_MS: "60000",
  };
});
afterAll(async () => {
  await lectern.stop();
});

/** A server in a process of its own. */
async function startServer(settings: { CRASH_AT?: TransactionPoint } = {}) {
  const server = begin(["start"], { environment: { ...environment, ...settings } });
  const [, url] = await server.printed(/Lectern is ready: (http\S+)/);
  return { ...server, url: url as string };
}

/** A mutation, ready to be sent; what it needs is there. */
type Operation = {
  /** The field as GraphQL. */
  field: string;
  /** What `$file` in it is. */
  file?: File;
  token: string | null;
  /** Whether a key may go with it: not where the answer holds tokens, nor where the session ends with it. */
  hasKey: boolean;
  /** SQL that is true exactly when it has happened. */
  happened: string;
};

/** Every mutation that there is, and `createDocument` in both ways. */
const prepare: Record<string, () => Promise<Operation>> = {
  async createDocumentFromFile() {
    const title = `Crash ${Math.random()}`;
    return {
      field: `createDocument(input: { title: "${title}", source: { file: $file } }) { document { id } }`,
      file: pageOf(title),
      token: ada.accessToken,
      hasKey: true,
      happened: `exists (select 1 from documents where title = '${title}' and storage_key is not null)`,
    };
  },
  async createDocument() {
    const text = `Crash ${Math.random()}`;
    return {
      field: `createDocument(input: { title: "${text}", source: { text: "${text}" } }) { document { id } }`,
      token: ada.accessToken,
      hasKey: true,
      happened: `exists (select 1 from documents where title = '${text}' and text = '${text}')`,
    };
  },
  async updateDocument() {
    const { id, uuid, version } = await settledDocument();
    return {
      field: `updateDocument(input: { id: "${id}", expectedVersion: ${version}, title: "Crashed" }) { document { version } }`,
      token: ada.accessToken,
      hasKey: true,
      happened: `exists (select 1 from documents where id = '${uuid}' and title = 'Crashed' and version = ${version + 1})`,
    };
  },
  async deleteDocument() {
    const { id, uuid } = await settledDocument();
    return {
      field: `deleteDocument(input: { id: "${id}" }) { deletedId }`,
      token: ada.accessToken,
      hasKey: true,
      happened: `not exists (select 1 from documents where id = '${uuid}')`,
    };
  },
  async reprocessDocument() {
    const { id, uuid, version } = await settledDocument();
    return {
      field: `reprocessDocument(input: { id: "${id}" }) { document { status } }`,
      token: ada.accessToken,
      hasKey: true,
      happened: `exists (select 1 from documents where id = '${uuid}' and version > ${version})`,
    };
  },
  async uploadAudio() {
    const title = `Crash ${Math.random()}`;
    return {
      field: `uploadAudio(input: { title: "${title}", source: { file: $file } }) { audio { id } }`,
      file: soundOf(title),
      token: ed.accessToken,
      hasKey: true,
      happened: `exists (select 1 from audio where title = '${title}')`,
    };
  },
  async replaceAudioFile() {
    const [{ id, uuid, version }, title] = [await settledAudio(), `Crash ${Math.random()}`];
    return {
      field: `replaceAudioFile(input: { id: "${id}", expectedVersion: ${version}, source: { file: $file } }) { audio { id } }`,
      file: soundOf(title),
      token: ed.accessToken,
      hasKey: true,
      happened: `exists (select 1 from audio where id = '${uuid}' and filename = '${title}.mp3')`,
    };
  },
  async updateAudio() {
    const { id, uuid, version } = await settledAudio();
    return {
      field: `updateAudio(input: { id: "${id}", expectedVersion: ${version}, title: "Crashed" }) { audio { version } }`,
      token: ed.accessToken,
      hasKey: true,
      happened: `exists (select 1 from audio where id = '${uuid}' and title = 'Crashed' and version = ${version + 1})`,
    };
  },
  async deleteAudio() {
    const { playlist, audio } = await addPlaylist();
    return byEditor(
      `deleteAudio(input: { id: "${globalIdOf("Audio", audio)}", removeFromPlaylists: true }) { deletedId }`,
      `not exists (select 1 from audio where id = '${audio}') and ${tracksOf(playlist)} is null`,
    );
  },
  async reprocessAudio() {
    const { id, uuid, version } = await settledAudio();
    return {
      field: `reprocessAudio(input: { id: "${id}" }) { audio { status } }`,
      token: ed.accessToken,
      hasKey: true,
      happened: `exists (select 1 from audio where id = '${uuid}' and version > ${version})`,
    };
  },
  ...playlistOperations(),
  ...scheduleOperations(),
  ...labelOperations("Category", "categories"),
  ...labelOperations("Event", "events"),
  async setUserRole() {
    const { id } = await lectern.person("Riser");
    return {
      field: `setUserRole(input: { userId: "${id}", role: EDITOR }) { user { role } }`,
      token: admin.accessToken,
      hasKey: true,
      happened: `exists (select 1 from users where id = '${uuidOf(id)}' and role = 'EDITOR')`,
    };
  },
  async signUp() {
    const email = `crash-${Math.random()}@lectern.test`;
    return {
      field: `signUp(input: { email: "${email}", name: "New", password: "a good password" }) { user { id } }`,
      token: null,
      hasKey: false,
      happened: `exists (select 1 from users u join sessions s on s.user_id = u.id where u.email = '${email}')`,
    };
  },
  async signIn() {
    const { id, email } = await lectern.person("Comer");
    return {
      field: `signIn(input: { email: "${email}", password: "a good password" }) { user { id } }`,
      token: null,
      hasKey: false,
      happened: `(select count(*) = 2 from sessions where user_id = '${uuidOf(id)}')`,
    };
  },
  async refreshSession() {
    const { id, refreshToken } = await lectern.person("Refresher");
    return {
      field: `refreshSession(input: { refreshToken: "${refreshToken}" }) { user { id } }`,
      token: null,
      hasKey: false,
      happened: `exists (select 1 from sessions where user_id = '${uuidOf(id)}' and refreshed_at > created_at)`,
    };
  },
  async signOut() {
    const { id, accessToken } = await lectern.person("Leaver");
    return {
      field: "signOut { ok }",
      token: accessToken,
      hasKey: false,
      happened: `exists (select 1 from sessions where user_id = '${uuidOf(id)}' and revoked_at is not null)`,
    };
  },
};

type Rows = Record<"playlist" | "audio" | "first" | "last", string>;

/** A playlist of two tracks, of audio of its own. */
async function addPlaylist(): Promise<Rows> {
  const audio = (await settledAudio()).uuid;
  const query = `
    with made as (insert into playlists (name, owner_id) values ($1, $2) returning id)
    insert into playlist_tracks (playlist_id, audio_id, rank) select id, $3, unnest(array['V1', 'V2']) from made
    returning playlist_id as playlist, audio_id as audio, id`;
  const [first, last] = await lectern.database.query(query, [newName(), uuidOf(ed.id), audio]);
  return { playlist: first?.playlist, audio, first: first?.id, last: last?.id } as Rows;
}

/** A playlist that plays on a channel of its own: once, or on each Friday of a month. */
async function addSchedule(): Promise<Rows & { schedule: string }> {
  const rows = await addPlaylist();
  const [made] = await lectern.database.query(
    "insert into schedules (playlist_id, channel, starts_at) values ($1, $2, '2100-01-01Z') returning id",
    [rows.playlist, newName()],
  );
  return { ...rows, schedule: made?.id as string };
}
async function addSeries(): Promise<Rows & { series: string; version: number }> {
  const rows = await addPlaylist();
  const [made] = await lectern.database.query(
    `insert into schedule_series (playlist_id, channel, time_zone, start_time, weekdays, first_day, last_day)
     values ($1, $2, 'UTC', '18:00:00', array['FRIDAY'], '2100-01-01', '2100-01-31') returning id`,
    [rows.playlist, newName()],
  );
  const [{ version } = {}] = await lectern.database.query("select version from schedule_series where id = $1", [
    made?.id,
  ]);
  return { ...rows, series: made?.id as string, version: version as number };
}

/** An operation of the editor: not of the admin, whom setUserRole locks. */
const byEditor = (field: string, happened: string): Operation => ({
  field,
  token: ed.accessToken,
  hasKey: true,
  happened,
});
const tracksOf = (playlist: string) =>
  `(select array_agg(id order by rank) from playlist_tracks where playlist_id = '${playlist}')`;

function playlistOperations(): typeof prepare {
  const idOf = (playlist: string) => globalIdOf("Playlist", playlist);
  const trackIdOf = (track: string) => globalIdOf("PlaylistTrack", track);
  return {
    async createPlaylist() {
      const [{ id }, name] = [await settledAudio(), newName()];
      return byEditor(
        `createPlaylist(input: { name: "${name}", audioIds: ["${id}"] }) { playlist { id } }`,
        `exists (select 1 from playlists where name = '${name}' and track_count = 1 and duration_ms > 0)`,
      );
    },
    async updatePlaylist() {
      const [{ playlist }, name] = [await addPlaylist(), newName()];
      return byEditor(
        `updatePlaylist(input: { id: "${idOf(playlist)}", expectedVersion: 2, name: "${name}" }) { playlist { version } }`,
        `exists (select 1 from playlists where id = '${playlist}' and name = '${name}' and version = 3)`,
      );
    },
    async deletePlaylist() {
      const { playlist } = await addSchedule();
      return byEditor(
        `deletePlaylist(input: { id: "${idOf(playlist)}", removeSchedules: true }) { deletedId }`,
        `not exists (select 1 from playlists where id = '${playlist}')
         and not exists (select 1 from schedules where playlist_id = '${playlist}')`,
      );
    },
    async copyPlaylist() {
      const [{ playlist }, name] = [await addPlaylist(), newName()];
      return byEditor(
        `copyPlaylist(input: { id: "${idOf(playlist)}", name: "${name}" }) { playlist { id } }`,
        `exists (select 1 from playlists where name = '${name}' and track_count = 2)`,
      );
    },
    async addTracks() {
      const { playlist, audio, schedule } = await addSchedule();
      return byEditor(
        `addTracks(input: { playlistId: "${idOf(playlist)}", audioIds: ["${globalIdOf("Audio", audio)}"] }) { playlist { version } }`,
        `exists (select 1 from playlists p join schedules s on s.playlist_id = p.id where s.id = '${schedule}'
           and p.track_count = 3 and s.version = 2)`,
      );
    },
    async removeTrack() {
      const { playlist, first, last, schedule } = await addSchedule();
      return byEditor(
        `removeTrack(input: { trackId: "${trackIdOf(first)}" }) { playlist { version } }`,
        `${tracksOf(playlist)} = array['${last}'::uuid] and (select version = 2 from schedules where id = '${schedule}')`,
      );
    },
    async moveTrack() {
      const { playlist, first, last } = await addPlaylist();
      return byEditor(
        `moveTrack(input: { trackId: "${trackIdOf(first)}" }) { playlist { version } }`,
        `${tracksOf(playlist)} = array['${last}', '${first}']::uuid[]`,
      );
    },
    async moveTracks() {
      const { playlist, first, last } = await addPlaylist();
      return byEditor(
        `moveTracks(input: { trackIds: ["${trackIdOf(last)}", "${trackIdOf(first)}"] }) { playlist { version } }`,
        `${tracksOf(playlist)} = array['${last}', '${first}']::uuid[]`,
      );
    },
  };
}

function scheduleOperations(): typeof prepare {
  const at = 'startsAt: "2100-01-02T00:00:00Z"';
  const input = (type: string, row: string) => `id: "${globalIdOf(type, row)}"`;
  return {
    async createSchedule() {
      const [{ playlist }, channel] = [await addPlaylist(), newName()];
      const recurrence = 'recurrence: { timeZone: "UTC", lastDay: "2100-01-31" }';
      return byEditor(
        `createSchedule(input: { playlistId: "${globalIdOf("Playlist", playlist)}", channel: "${channel}", ${at}, ${recurrence} }) { schedule { id } }`,
        `(select count(*) = 5 from schedules s join schedule_series q on q.id = s.series_id where s.channel = '${channel}')`,
      );
    },
    async updateSchedule() {
      const { schedule } = await addSchedule();
      return byEditor(
        `updateSchedule(input: { ${input("Schedule", schedule)}, expectedVersion: 1, ${at} }) { schedule { version } }`,
        `exists (select 1 from schedules where id = '${schedule}' and version = 2 and starts_at = '2100-01-02Z')`,
      );
    },
    async deleteSchedule() {
      const { schedule } = await addSchedule();
      return byEditor(
        `deleteSchedule(input: { ${input("Schedule", schedule)} }) { deletedId }`,
        `not exists (select 1 from schedules where id = '${schedule}')`,
      );
    },
    async updateScheduleSeries() {
      const { series, version } = await addSeries();
      return byEditor(
        `updateScheduleSeries(input: { ${input("ScheduleSeries", series)}, expectedVersion: ${version}, weekdays: [MONDAY] }) { scheduleSeries { version } }`,
        `(select array_agg(series_day order by series_day) from schedules where series_id = '${series}')
          = array['2100-01-04', '2100-01-11', '2100-01-18', '2100-01-25']`,
      );
    },
    async deleteScheduleSeries() {
      const { series } = await addSeries();
      return byEditor(
        `deleteScheduleSeries(input: { ${input("ScheduleSeries", series)} }) { deletedId }`,
        `not exists (select 1 from schedule_series where id = '${series}')
         and not exists (select 1 from schedules where series_id = '${series}')`,
      );
    },
  };
}

/** The mutations of a type of labels, on labels of their own. */
function labelOperations(type: string, table: string): typeof prepare {
  const add = async () => {
    const [row] = await lectern.database.query(`insert into ${table} (name) values ($1) returning id`, [newName()]);
    return { uuid: row?.id as string, id: globalIdOf(type, row?.id as string) };
  };
  return {
    async [`create${type}`]() {
      const name = newName();
      return byEditor(
        `create${type}(input: { name: "${name}" }) { ${type.toLowerCase()} { id } }`,
        `exists (select 1 from ${table} where name = '${name}')`,
      );
    },
    async [`update${type}`]() {
      const [{ id, uuid }, name] = [await add(), newName()];
      return byEditor(
        `update${type}(input: { id: "${id}", expectedVersion: 1, name: "${name}" }) { ${type.toLowerCase()} { version } }`,
        `exists (select 1 from ${table} where id = '${uuid}' and name = '${name}' and version = 2)`,
      );
    },
    async [`delete${type}`]() {
      const { id, uuid } = await add();
      return byEditor(
        `delete${type}(input: { id: "${id}" }) { deletedId }`,
        `not exists (select 1 from ${table} where id = '${uuid}')`,
      );
    },
  };
}

const newName = () => `Crash ${Math.random()}`;

const pageOf = (words: string) => new File([`<!doctype html><title>A page</title><p>${words}`], "page.html");

const soundOf = (title: string) => new File([new Uint8Array(makeMp3({ seconds: 1, title }))], `${title}.mp3`);

async function settledAudio(): Promise<{ id: string; uuid: string; version: number }> {
  const query = "mutation ($file: File!) { uploadAudio(input: { source: { file: $file } }) { audio { id } } }";
  const response = await postFile(lectern.url, {
    query,
    file: soundOf(`Crash ${Math.random()}`),
    accessToken: ed.accessToken,
  });
  const { data } = (await response.json()) as { data: { uploadAudio: { audio: { id: string } } } };
  await lectern.settled();
  const { id } = data.uploadAudio.audio;
  const [row] = await lectern.database.query("select version from audio where id = $1", [uuidOf(id)]);
  return { id, uuid: uuidOf(id), version: row?.version as number };
}

async function settledDocument(): Promise<{ id: string; uuid: string; version: number }> {
  const { id } = await ada.document();
  await lectern.settled();
  const uuid = uuidOf(id);
  const [row] = await lectern.database.query("select version from documents where id = $1", [uuid]);
  return { id, uuid, version: row?.version as number };
}

async function send(url: string, query: string, token: string | null, key: string | null = null, file?: File) {
  const posting = { query, accessToken: token, headers: { ...(key && { "idempotency-key": key }) } };
  const response = await (file ? postFile(url, { ...posting, file }) : post(url, posting));
  const { data, errors } = (await response.json()) as { data: object | null; errors?: object[] };
  return { data, errors, isReplay: response.headers.get("idempotent-replay") === "true" };
}

/** Fails when an answer comes, and never ends otherwise. */
async function expectNoAnswer(sent: ReturnType<typeof send>): Promise<never> {
  const answer = await sent.catch(() => new Promise<never>(() => {}));
  throw new Error(`A mutation was answered although its server was to halt it: ${JSON.stringify(answer)}`);
}

/** Waits until the database has noticed that the server is gone. */
async function untilAllEnded(): Promise<void> {
  const open =
    "select 1 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'";
  await until(async () => (await lectern.database.query(open)).length === 0, "the transactions of the server end");
}

/** Where the files lie that rows name. */
async function namedFiles(): Promise<string[]> {
  const rows = await lectern.database.query(`
    select storage_key as key from documents where storage_key is not null
    union all select unnest(array_remove(array[storage_key, cover_key], null)) from audio`);
  return rows.map(({ key }) => `kept/${String(key).slice(-2)}/${key}`).sort();
}

/** Nothing is wrong as `doctor` sees it, no file is missing, and so many are left, which then go. */
async function expectSound(left = 0): Promise<void> {
  const { files: store, reads } = lectern.application;
  const findings = await integrityOf(lectern, { graceMs: 0 }).examine();
  expect(findings.length).toBeGreaterThan(0);
  expect(countsIn(findings.filter(({ isFault }) => isFault))).toEqual({});
  expect(findings.find(({ complaint }) => complaint === "files that no row names")?.count).toBe(left);
  expect(
    await sweepFiles({ store, findNamed: (keys) => findNamed(fileColumnsOf(slices), reads, keys), graceMs: 0 }),
  ).toBe(left);
  expect(await filesOf(lectern)).toEqual(await namedFiles());
}

const names = Object.keys(prepare);

describe("kill -9", { timeout: 60_000 }, () => {
  it("is tried on every mutation that there is", () => {
    const fields = Object.keys(schema.getMutationType()?.getFields() ?? {});
    expect([...names].sort()).toEqual([...fields, "createDocumentFromFile"].sort());
  });

  it.each<{ point: TransactionPoint; hasHappened: boolean }>([
    { point: "begin", hasHappened: false },
    { point: "statement", hasHappened: false },
    { point: "before_commit", hasHappened: false },
    { point: "after_commit", hasHappened: true },
    { point: "before_answer", hasHappened: true },
  ])("of all mutations at $point: they have happened is $hasHappened", async ({ point, hasHappened }) => {
    const operations = await Promise.all(
      Object.entries(prepare).map(async ([name, make]) => {
        const operation = await make();
        const key = operation.hasKey ? `${name}-${point}` : null;
        const variables = operation.file ? "($file: File!)" : "";
        return { ...operation, name, key, query: `mutation Kill_${name}${variables} { ${operation.field} }` };
      }),
    );
    await lectern.settled();
    // No worker takes what is PENDING while the tables are compared.
    const before = await dump(lectern.database);
    const server = begin([point], { environment, program: join(import.meta.dirname, "../support/halting-server.ts") });
    const [, url] = await server.printed(/listening (http\S+)/);
    onTestFinished(() => void server.process.kill("SIGKILL"));
    const sent = operations.map(({ query, token, key, file }) => send(url as string, query, token, key, file));
    const answers = Promise.allSettled(sent);
    const halted = Promise.all(names.map((name) => server.printed(`halted Kill_${name}\n`)));
    // One that is answered will never halt.
    await Promise.race([halted, ...sent.map(expectNoAnswer)]);
    server.process.kill("SIGKILL");
    expect((await server.ended).signal).toBe("SIGKILL");
    // Nobody was told anything.
    expect((await answers).filter(({ status }) => status === "fulfilled")).toEqual([]);
    await untilAllEnded();

    if (!hasHappened) expect(await dump(lectern.database)).toEqual(before);
    const [happened] = await lectern.database.query(
      `select ${operations.map(({ name, happened }) => `${happened} as "${name}"`).join(", ")}`,
    );
    expect(happened).toEqual(Object.fromEntries(names.map((name) => [name, hasHappened])));
    // The next server knows what became of it.
    for (const { name, query, token, key, file } of operations) {
      if (!key) continue;
      const { data, isReplay } = await send(lectern.url, query, token, key, file);
      expect([name, data === null, isReplay]).toEqual([name, false, hasHappened]);
    }
    // Files of the document, the audio and the replacement were kept before their rows; without the rows they are too many.
    // Nobody has removed the files of the deleted and the replaced audio yet, whichever server executed the operation.
    await expectSound(hasHappened ? 2 : 3 + 2);
  });

  it("by CRASH_AT, of the real server, which then starts again", async () => {
    const { field, happened } = await (prepare.updateDocument as () => Promise<Operation>)();
    const crashing = await startServer({ CRASH_AT: "before_commit" });
    await expect(send(crashing.url, `mutation { ${field} }`, ada.accessToken)).rejects.toThrow();
    expect((await crashing.ended).signal).toBe("SIGKILL");
    const server = await startServer();
    await untilAllEnded();
    expect(await lectern.database.query(`select ${happened} as happened`)).toEqual([{ happened: false }]);
    expect((await send(server.url, `mutation { ${field} }`, ada.accessToken)).data).not.toBeNull();
    expect(await lectern.database.query(`select ${happened} as happened`)).toEqual([{ happened: true }]);
    server.process.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
    await expectSound();
  });

  it("by CRASH_AT is refused in production", async () => {
    const production = { ...environment, NODE_ENV: "production", CRASH_AT: "before_commit" };
    const { code, stderr } = await run(["start"], { environment: production });
    expect([code, stderr]).toEqual([1, expect.stringContaining("CRASH_AT: is for tests, not for production")]);
  });
});
