/** Files in S3, served by the server or, on request of the operator, by the service itself. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grantRoles } from "../../src/postgres/roles.ts";
import { slices } from "../../src/slices.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { type S3Server, startS3Server } from "../support/s3-server.ts";
import { type HungSketch, hang } from "../support/sketches/hang.ts";
import { sketchSlice } from "../support/sketches/sketch.slice.ts";
import { sketchMigration } from "../support/sketches/sketch.table.ts";

const bytes = Buffer.from("0123456789".repeat(20_000));

let s3: S3Server;
let database: TestDatabase;
const servers = {} as Record<"stream" | "redirect", Lectern>;
let ada: Person;
let sketch: HungSketch;

beforeAll(async () => {
  s3 = await startS3Server();
  database = await freshDatabase();
  await database.query(sketchMigration);
  await grantRoles(database.url);
  for (const delivery of ["stream", "redirect"] as const) {
    servers[delivery] = await startLectern({
      database,
      slices: [...slices, sketchSlice],
      publicUrl: "http://127.0.0.1:0",
      settings: {
        STORAGE_URL: s3.url,
        STORAGE_DELIVERY: delivery,
        AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
      },
    });
  }
  ada = await servers.stream.person("Ada");
  sketch = await hang(servers.stream, ada, "Ä tone.wav", bytes);
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.stop();
  await database.drop();
  await s3.stop();
});

/** Asks one of the servers for the file. */
function ask(delivery: "stream" | "redirect", init: RequestInit = {}, { url } = sketch): Promise<Response> {
  const { pathname, search } = new URL(url);
  return fetch(new URL(pathname + search, servers[delivery].url), init);
}

describe("a file in S3", () => {
  it("is streamed by the server, whole and in parts", async () => {
    const whole = await ask("stream");
    expect([whole.status, whole.redirected]).toEqual([200, false]);
    expect(Buffer.from(await whole.arrayBuffer())).toEqual(bytes);
    const part = await ask("stream", { headers: { range: "bytes=70003-70012" } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 70003-70012/200000"]);
    expect(await part.text()).toBe("3456789012");
  });

  it("is found in the service by an address for this file only, with its type and name", async () => {
    const redirect = await ask("redirect", { redirect: "manual" });
    expect([redirect.status, redirect.headers.get("cache-control")]).toEqual([302, "no-store"]);
    const location = redirect.headers.get("location") as string;
    expect(new URL(location).origin).toBe(`http://127.0.0.1:${s3.port}`);
    const seconds = Number(new URL(location).searchParams.get("X-Amz-Expires"));
    expect(seconds).toBe(3_600);

    const followed = await ask("redirect", { headers: { range: "bytes=199995-" } });
    expect([followed.status, followed.redirected, followed.headers.get("content-type")]).toEqual([
      206,
      true,
      "audio/wav",
    ]);
    expect(followed.headers.get("content-disposition")).toBe(
      "inline; filename=\"? tone.wav\"; filename*=UTF-8''%C3%84%20tone.wav",
    );
    expect(await followed.text()).toBe("56789");
    const other = location.replace(sketch.key, crypto.randomUUID());
    expect((await fetch(other)).status).toBe(403);
  });

  it("is asked for before the redirect by whom it is, and HEAD is answered by the server", async () => {
    const forged = sketch.url.replace(/signature=./, "signature=!");
    expect((await ask("redirect", { redirect: "manual" }, { ...sketch, url: forged })).status).toBe(404);
    const head = await ask("redirect", { method: "HEAD", redirect: "manual" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "200000"]);
  });

  it("that is missing is not found, streamed or not", async () => {
    const lost = await hang(servers.stream, ada, "lost.wav", Buffer.from("x"));
    await servers.stream.application.files.remove(lost.key);
    for (const delivery of ["stream", "redirect"] as const) {
      for (const method of ["GET", "HEAD"]) {
        expect((await ask(delivery, { method }, lost)).status, `${delivery} ${method}`).toBe(404);
      }
    }
  });
});
