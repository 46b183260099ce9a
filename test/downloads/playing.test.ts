/** A browser plays files in a page of another site, as a frontend does: without headers, cookies or scripts of ours. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grantRoles } from "../../src/postgres/roles.ts";
import { slices } from "../../src/slices.ts";
import { type Browser, hasBrowser, startBrowser } from "../support/browser.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { hang } from "../support/sketches/hang.ts";
import { sketchSlice } from "../support/sketches/sketch.slice.ts";
import { sketchMigration } from "../support/sketches/sketch.table.ts";
import { makeMp3 } from "../support/sounds.ts";
import { formOf } from "../support/upload.ts";
import { wav, wavRate } from "../support/wav.ts";

describe.skipIf(!hasBrowser)("a browser", { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let lectern: Lectern;
  let ada: Person;
  let frontend: Server;
  let browser: Browser;

  beforeAll(async () => {
    database = await freshDatabase();
    await database.query(sketchMigration);
    await grantRoles(database.url);
    lectern = await startLectern({ database, slices: [...slices, sketchSlice], publicUrl: "http://127.0.0.1:0" });
    ada = await lectern.person("Ada");
    frontend = createServer((_req, res) => {
      // The strictest page: it may embed nothing of other sites that does not say so.
      const isolation = { "cross-origin-embedder-policy": "require-corp", "cross-origin-opener-policy": "same-origin" };
      res.writeHead(200, { "content-type": "text/html", ...isolation }).end("<!doctype html><title>A frontend</title>");
    });
    await new Promise<void>((listening) => frontend.listen(0, "127.0.0.1", listening));
    browser = await startBrowser();
    // Another site than 127.0.0.1.
    const error = await browser.open(`http://localhost:${(frontend.address() as AddressInfo).port}/`);
    expect(error).toBeUndefined();
    expect(await browser.evaluate("crossOriginIsolated")).toBe(true);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await new Promise((closed) => frontend.close(closed).closeAllConnections());
    await lectern.stop();
    await database.drop();
  });

  const addressOf = async (name: string, bytes: Buffer) => (await hang(lectern, ada, name, bytes)).url;

  /** Puts a player on the page, and waits for its event or its error. */
  const playerOf = (address: string, attributes: string, event: string) =>
    browser.evaluate<{ duration: number }>(`new Promise((resolve, reject) => {
      globalThis.audio?.remove();
      globalThis.audio = Object.assign(document.createElement("audio"), ${attributes});
      audio.addEventListener("${event}", () => resolve({ duration: audio.duration }));
      audio.addEventListener("error", () => reject(new Error(audio.error.message)));
      audio.src = ${JSON.stringify(address)};
      document.body.append(audio);
    })`);

  /** Goes to a time, and plays from there. @returns the times of the seek and after some playing */
  const playFrom = (seconds: number) =>
    browser.evaluate<[sought: number, played: number]>(`new Promise((resolve, reject) => {
      audio.onseeked = async () => {
        const sought = audio.currentTime;
        audio.ontimeupdate = () => {
          if (audio.currentTime <= sought + 0.1) return;
          audio.pause();
          resolve([sought, audio.currentTime]);
        };
        await audio.play().catch(reject);
      };
      audio.onerror = () => reject(new Error(audio.error.message));
      audio.currentTime = ${seconds};
    })`);

  it.each([
    ["tone.wav", wav(600), "{}"],
    ["tone.wav", wav(60), '{ crossOrigin: "anonymous" }'],
    ["tone.mp3", makeMp3({ seconds: 300 }), "{}"],
  ])("reads the duration of %s, plays it and seeks", async (name, bytes, attributes) => {
    const address = await addressOf(name, bytes);
    const seconds = name.endsWith(".wav") ? (bytes.length - 44) / wavRate : 300;
    const { duration } = await playerOf(address, attributes, "loadedmetadata");
    expect(duration).toBeGreaterThan(seconds - 1);
    expect(duration).toBeLessThan(seconds + 1);
    // Forward, nearly to the end, and back.
    for (const start of [10, seconds - 5, 1]) {
      const [sought, played] = await playFrom(start);
      expect(sought).toBeCloseTo(start, 1);
      expect(played).toBeGreaterThan(sought + 0.1);
    }
  });

  it("gives scripts of the page the bytes, so that they can draw or analyze them", async () => {
    const bytes = wav(2);
    const address = await addressOf("analyzed.wav", bytes);
    const seen = await browser.evaluate(`(async () => {
      const response = await fetch(${JSON.stringify(address)}, { headers: { range: "bytes=0-3" } });
      const whole = await (await fetch(${JSON.stringify(address)})).arrayBuffer();
      const { duration } = await new OfflineAudioContext(1, 44100, 44100).decodeAudioData(whole);
      return [response.status, response.headers.get("content-range"), await response.text(), Math.round(duration)];
    })()`);
    expect(seen).toEqual([206, `bytes 0-3/${bytes.length}`, "RIFF", 2]);
  });

  it("says that a player has no file when its address is edited", async () => {
    const address = (await addressOf("edited.wav", wav(1))).replace(/signature=./, "signature=!");
    await expect(playerOf(address, "{}", "loadedmetadata")).rejects.toThrow(/404|Format error|MEDIA_ELEMENT_ERROR/);
  });

  it("plays an address that is opened by itself, and runs no script of a file", async () => {
    await browser.open(await addressOf("alone.wav", wav(30)));
    const duration = `new Promise((resolve) => {
      const media = document.querySelector("video");
      if (media.duration) resolve(media.duration);
      media.addEventListener("loadedmetadata", () => resolve(media.duration));
    })`;
    expect(await browser.evaluate(duration)).toBeCloseTo(30, 1);
    expect(await browser.evaluate("origin")).toBe("null");
  });

  it("saves a document instead of showing it, whatever is in it", async () => {
    const page = "<!doctype html><title>run</title><script>document.title = 'ran'</script>";
    const body = formOf(
      "mutation ($file: File!) { createDocument(input: { source: { file: $file } }) { document { originalUrl } } }",
      new File([page], "page.html"),
    );
    const headers = { authorization: `Bearer ${ada.accessToken}`, "graphql-require-preflight": "1" };
    const { data } = await (await fetch(lectern.url, { method: "POST", headers, body })).json();
    expect(await browser.open(data.createDocument.document.originalUrl)).toBe("net::ERR_ABORTED");
  });
});
