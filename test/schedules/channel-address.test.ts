/** The address of a channel, as players that speak no GraphQL use it: VLC, mpv and the like. */
import { hkdfSync } from "node:crypto";
import { print } from "graphql";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { FileAddresses } from "../../src/downloads/file-addresses.ts";
import { graphql } from "../support/client/generated/gql.ts";
import type { UploadForChannelMutation } from "../support/client/generated/graphql.ts";
import { uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { decode } from "../support/playlist-rows.ts";
import { secret } from "../support/secret.ts";
import { makeMp3 } from "../support/sounds.ts";
import { sendSource } from "../support/upload.ts";

/** Addresses follow the server to its port. */
const publicUrl = "http://127.0.0.1:0";
const minute = 60_000;

const Upload = graphql(`
  mutation UploadForChannel($input: UploadAudioInput!) { uploadAudio(input: $input) { audio { id } } }
`);
const CreatePlaylist = graphql(`
  mutation CreateForChannel($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id } } }
`);
const Add = graphql(`
  mutation AddForChannel($input: AddTracksInput!) { addTracks(input: $input) { playlist { version } } }
`);
const Schedule = graphql(`
  mutation ScheduleOnChannel($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } } }
`);
const ChannelUrl = graphql(`
  query ChannelUrl($channel: String!) { channelUrl(channel: $channel) }
`);
const Playing = graphql(`
  query PlayingOnChannel($channel: String!) { nowPlaying(channel: $channel) { track { audio { title url } } } }
`);

let lectern: Lectern;
let ed: Person;
let vera: Person;
/** Three tracks of 10 minutes each, by their titles. The files are shorter; their bytes are real. */
let playlist: string;

beforeAll(async () => {
  lectern = await startLectern({ publicUrl, housekeeping: false });
  ed = await lectern.person("Ed", "EDITOR");
  vera = await lectern.person("Vera");
  const audioIds: string[] = [];
  for (const [index, title] of ["Prelude", "Fugue", "Gigue"].entries()) {
    const file = new File([makeMp3({ seconds: 1, frequency: 500 + index }) as Uint8Array<ArrayBuffer>], `${title}.mp3`);
    const sent = { query: print(Upload), input: { title, artist: index === 1 ? "Bạch" : null }, file };
    const { data } = await sendSource<UploadForChannelMutation>(lectern, ed, sent);
    const id = data?.uploadAudio.audio.id ?? "";
    await decode(lectern.database, uuidOf(id), 10 * minute);
    audioIds.push(id);
  }
  const { createPlaylist } = await ed.client.request(CreatePlaylist, { input: { name: "A suite" } });
  playlist = createPlaylist.playlist.id;
  await ed.client.request(Add, { input: { playlistId: playlist, audioIds } });
});
afterAll(() => lectern.stop());

const schedule = (channel: string, minutesAgo: number) => {
  const startsAt = new Date(Date.now() - minutesAgo * minute).toISOString();
  return ed.client.request(Schedule, { input: { playlistId: playlist, channel, startsAt } });
};
const addressOf = async (channel: string, { client }: Pick<Person, "client"> = vera) =>
  (await client.request(ChannelUrl, { channel })).channelUrl;
const nowOn = async (channel: string) => (await vera.client.request(Playing, { channel })).nowPlaying;
const linesOf = async (address: string) => {
  const response = await fetch(address);
  expect(response.status).toBe(200);
  return (await response.text()).split("\n");
};
const statusOf = async (address: string) => (await fetch(address)).status;
const moved = (address: string, { url }: Lectern) => address.replace(new URL(address).origin, new URL(url).origin);

/** A second server of the same database. */
async function another(settings: Record<string, string>): Promise<Lectern> {
  const other = await startLectern({ database: lectern.database, publicUrl, housekeeping: false, settings });
  onTestFinished(() => other.stop());
  return other;
}

describe("the address of a channel", () => {
  it("is a playlist from the track that plays now to the end of the schedule, and each track plays", async () => {
    await schedule("main", 15);
    // Begins when the first one ends, and is not part of it.
    await schedule("main", -15);
    const address = await addressOf("main");
    expect(address).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/files\/channel\/[\w-]+\/main\.m3u8\?viewer=.+&expires=.+&signature=/,
    );
    const [head, fugue, first, gigue, second, ...rest] = await linesOf(address);
    expect([head, fugue, gigue, rest]).toEqual([
      "#EXTM3U",
      "#EXTINF:600.000,Bạch - Fugue",
      "#EXTINF:600.000,Gigue",
      [""],
    ]);
    expect(await nowOn("main")).toEqual({ track: { audio: { title: "Fugue", url: first } } });
    for (const track of [first, second] as string[]) {
      const whole = await fetch(track);
      expect([whole.status, whole.headers.get("content-type")]).toEqual([200, "audio/mpeg"]);
      expect((await whole.arrayBuffer()).byteLength).toBeGreaterThan(1_000);
      const part = await fetch(track, { headers: { range: "bytes=0-9" } });
      expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 10]);
    }
  });

  it("is read anew by each request, which no cache answers", async () => {
    const address = await addressOf("anew");
    expect(await linesOf(address)).toEqual(["#EXTM3U", ""]);
    await schedule("anew", 5);
    const response = await fetch(address);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "audio/x-mpegurl; charset=utf-8",
      "cache-control": "no-store",
      "content-disposition": "inline; filename=anew.m3u8",
    });
    const text = await response.text();
    expect(text.split("\n")[1]).toBe("#EXTINF:600.000,Prelude");
    const head = await fetch(address, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
      200,
      String(Buffer.byteLength(text)),
      "",
    ]);
  });

  it("has no tracks before, between and after schedules, and on a channel that nobody knows", async () => {
    await schedule("quiet", 60);
    await schedule("quiet", -60);
    for (const channel of ["quiet", "no such channel"]) {
      expect(await linesOf(await addressOf(channel))).toEqual(["#EXTM3U", ""]);
    }
  });

  it.each(["a/b", "../etc", "..", "?x=1#y", "Kênh một 🎵", "%2e%2e", ".m3u8", "x".repeat(100), "'; --"])(
    "takes a channel called %j",
    async (channel) => {
      await schedule(channel, 25);
      expect((await linesOf(await addressOf(channel)))[1]).toBe("#EXTINF:600.000,Gigue");
      // Case counts, and other channels have addresses of their own.
      expect(await linesOf(await addressOf(`${channel.slice(1)}?`))).toEqual(["#EXTM3U", ""]);
    },
  );

  it.each(["", " ", "a\nb", "a\0", "x".repeat(101), "\ud800"])("refuses %j, which is no channel", async (channel) => {
    expect(await errorsOf(addressOf(channel))).toMatchObject([
      { path: ["channelUrl"], extensions: { code: "BAD_USER_INPUT", inputPath: ["channel"] } },
    ]);
  });

  it("costs no statement", async () => {
    const { extensions } = await vera.with({ "Lectern-Trace": "1" }).rawRequest('{ channelUrl(channel: "main") }');
    expect(extensions).toMatchObject({ lectern: { roundTrips: 0, statements: 0 } });
  });
});

describe("the address of a channel for a viewer", () => {
  it("is another for each, whose tracks act for the same viewer", async () => {
    await schedule("own", 5);
    const viewerOf = (address = "") => new URL(address).searchParams.get("viewer");
    const viewers = [vera, ed].map(async (person) => {
      const address = await addressOf("own", person);
      const [, , track] = await linesOf(address);
      return [viewerOf(address), viewerOf(track)];
    });
    const [ofVera, ofEd] = await Promise.all(viewers);
    expect(ofVera?.[1]).toBe(ofVera?.[0]);
    expect(ofEd?.[1]).toBe(ofEd?.[0]);
    expect(ofVera?.[0]).not.toBe(ofEd?.[0]);
  });

  it("who is deleted is gone, with the tracks that it named", async () => {
    await schedule("left", 5);
    const carl = await lectern.person("Carl");
    const address = await addressOf("left", carl);
    const [, , track = ""] = await linesOf(address);
    expect(await statusOf(track)).toBe(200);
    await lectern.database.query("delete from users where id = $1", [uuidOf(carl.id)]);
    expect([await statusOf(address), await statusOf(track)]).toEqual([404, 404]);
  });

  it("who is a stranger is good where the library is public", async () => {
    expect(await errorsOf(addressOf("own", { client: lectern.client() }))).toMatchObject([
      { extensions: { code: "UNAUTHENTICATED" } },
    ]);
    const open = await another({ PUBLIC_READ: "true" });
    const address = await addressOf("own", { client: open.client() });
    expect(address).not.toContain("viewer");
    const [, , track = ""] = await linesOf(address);
    expect(await statusOf(track)).toBe(200);
    expect(await statusOf(moved(address, lectern))).toBe(404);
  });

  it("that is expired, edited or another's is refused with the same response", async () => {
    const address = await addressOf("own");
    const mixed = new URL(address);
    mixed.searchParams.set("viewer", new URL(await addressOf("own", ed)).searchParams.get("viewer") as string);
    const id = new URL(address).pathname.split("/")[3] as string;
    const key = Buffer.from(hkdfSync("sha256", secret, "", "lectern file address", 32)).toString("hex");
    const signed = (lifetimeSeconds: number) => {
      const addresses = new FileAddresses({ publicUrl: new URL(address).origin, secret: key, lifetimeSeconds });
      return addresses.of({ kind: "channel", id, viewerId: uuidOf(vera.id), name: "own.m3u8" });
    };
    expect(await statusOf(signed(60))).toBe(200);
    const refused = [
      signed(-4),
      mixed.href,
      address.replace(id, Buffer.from("main").toString("base64url")),
      address.replace(id, `${id}=`),
      address.replace("/channel/", "/audio/"),
      address.replace(/expires=1/, "expires=2"),
      address.replace(/signature=./, "signature=!"),
    ];
    const shown = refused.map(async (one) => {
      const response = await fetch(one);
      const { errors } = (await response.json()) as { errors: { message: string; extensions: { code: string } }[] };
      return [response.status, errors[0]?.message, errors[0]?.extensions.code];
    });
    const answers = await Promise.all(shown);
    expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(answers[0]).toEqual([404, expect.stringContaining("query a new address"), "NOT_FOUND"]);
    expect(await statusOf(address)).toBe(200);
  });
});
