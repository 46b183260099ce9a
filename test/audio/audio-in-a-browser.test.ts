/** A frontend on another site plays an audio, seeks in it, and draws its waveform from the API's answer alone. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, hasBrowser, startBrowser } from "../support/browser.ts";
import { graphql } from "../support/client/generated/gql.ts";
import type { WaveformQuery } from "../support/client/generated/graphql.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { makeM4a } from "../support/sounds.ts";
import { sendSource } from "../support/upload.ts";

const Waveform = graphql(`
  query Waveform($id: ID!) {
    audio(id: $id) { title durationMs url waveformUrl peaks(count: 50) }
  }
`);

describe.skipIf(!hasBrowser)("in a browser, an audio", { timeout: 120_000 }, () => {
  let lectern: Lectern;
  let edith: Person;
  let frontend: Server;
  let browser: Browser;
  let audio: NonNullable<WaveformQuery["audio"]>;

  beforeAll(async () => {
    lectern = await startLectern({ worker: true, publicUrl: "http://127.0.0.1:0" });
    edith = await lectern.person("Edith", "EDITOR");
    frontend = createServer((_req, res) => {
      res.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>A frontend</title><body></body>");
    });
    await new Promise<void>((listening) => frontend.listen(0, "127.0.0.1", listening));
    browser = await startBrowser();
    expect(await browser.open(`http://localhost:${(frontend.address() as AddressInfo).port}/`)).toBeUndefined();

    // Silence, and then a tone: a waveform whose form is known. It comes as M4A and is played as MP3.
    const sound = makeM4a({ seconds: 20, expression: "0.8*sin(2*PI*440*t)*gte(t,10)", title: "Half a tone" });
    const { data } = await sendSource<{ uploadAudio: { audio: { id: string } } }>(lectern, edith, {
      query: "mutation ($input: UploadAudioInput!) { uploadAudio(input: $input) { audio { id } } }",
      file: new File([new Uint8Array(sound)], "tone.m4a"),
    });
    await lectern.settled();
    const answer = await edith.client.request(Waveform, { id: data?.uploadAudio.audio.id as string });
    audio = answer.audio as typeof audio;
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await new Promise((closed) => frontend.close(closed).closeAllConnections());
    await lectern.stop();
  });

  it("plays from its address, with the duration that the API says, and seeks", async () => {
    const [duration, sought, played] = await browser.evaluate<number[]>(`new Promise((resolve, reject) => {
      const player = document.createElement("audio");
      player.onerror = () => reject(new Error(player.error.message));
      player.onloadedmetadata = () => { player.currentTime = 15; };
      player.onseeked = async () => {
        player.onseeked = null;
        const sought = player.currentTime;
        player.ontimeupdate = () => {
          if (player.currentTime <= sought + 0.1) return;
          player.pause();
          resolve([player.duration, sought, player.currentTime]);
        };
        await player.play().catch(reject);
      };
      player.src = ${JSON.stringify(audio.url)};
      document.body.append(player);
    })`);
    expect(Math.abs((duration as number) * 1_000 - (audio.durationMs as number))).toBeLessThanOrEqual(100);
    expect(sought).toBeCloseTo(15, 1);
    expect(played).toBeGreaterThan(15.1);
  });

  it("is drawn from its peaks: nothing, and then a tone", async () => {
    const heights = await browser.evaluate<number[]>(`(() => {
      const peaks = ${JSON.stringify(audio.peaks)};
      const canvas = Object.assign(document.createElement("canvas"), { width: peaks.length, height: 100 });
      const pen = canvas.getContext("2d");
      peaks.forEach((peak, index) => pen.fillRect(index, 50 - 50 * peak, 1, 100 * peak));
      document.body.append(canvas);
      const columnOf = (x) => pen.getImageData(x, 0, 1, 100).data.filter((_value, index) => index % 4 === 3);
      return peaks.map((_peak, x) => columnOf(x).filter((alpha) => alpha > 127).length);
    })()`);
    expect(Math.max(...heights.slice(0, 24))).toBeLessThan(5);
    expect(Math.min(...heights.slice(27))).toBeGreaterThan(60);
  });

  it("is drawn by an image element from the address of its waveform", async () => {
    const size = await browser.evaluate<number[]>(`new Promise((resolve, reject) => {
      const picture = new Image();
      picture.onload = () => resolve([picture.naturalWidth, picture.naturalHeight]);
      picture.onerror = () => reject(new Error("The picture was not loaded."));
      picture.src = ${JSON.stringify(audio.waveformUrl)};
      document.body.append(picture);
    })`);
    expect(size).toEqual([600, 80]);
  });
});
