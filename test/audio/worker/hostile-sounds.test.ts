/**
 * Files that were damaged or made to do harm. Each ends in a result, or in a message for its sender, and leaves nothing
 * behind. With LECTERN_LONG=1, 500 damaged files and ten hours of silence.
 */
import { chmod, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AudioFormat } from "../../../src/audio/sound/format.ts";
import type { AudioResult } from "../../../src/audio/worker/sound-job.ts";
import { randomFrom } from "../../support/documents.ts";
import { findFfmpeg } from "../../support/ffmpeg.ts";
import { id3Tag, makeM4a, makeMp3 } from "../../support/sounds.ts";
import { type Processing, startProcessing } from "./processing.ts";

const ffmpeg = findFfmpeg();
const decoders = [null, ...(ffmpeg ? [ffmpeg] : [])];

describe.each(decoders)("decoded by %s", (ffmpegPath) => {
  let processing: Processing;
  beforeAll(async () => {
    processing = await startProcessing({ ffmpegPath, maxDurationMs: 60_000 });
  });
  afterAll(() => processing.stop());

  /** Expects that the file is impossible, and nothing else is kept. */
  async function expectImpossible(bytes: Uint8Array, mimeType: AudioFormat, message: RegExp): Promise<void> {
    const before = await processing.stored();
    await expect(processing.work(bytes, mimeType)).rejects.toMatchObject({
      name: "ImpossibleJobError",
      message: expect.stringMatching(message),
    });
    expect(await processing.stored()).toHaveLength(before.length + 1);
  }

  const m4a = () => makeM4a({ seconds: 2 });
  const mdatBytes = (bytes: Buffer) => bytes.indexOf("moov") - 4;

  describe("a list of other files", () => {
    let listener: Server;
    let hits: number;
    let canary: string;
    beforeAll(async () => {
      hits = 0;
      listener = createServer((_request, response) => {
        hits++;
        response.end();
      }).listen(0, "127.0.0.1");
      canary = await processing.fileOf(Buffer.from("the canary"));
      await writeFile(`${canary}.mp3`, makeMp3({ seconds: 1 }));
    });
    afterAll(() => void listener.close());
    afterEach(() => expect(hits).toBe(0));

    it.each(["audio/mpeg", "audio/mp4"] as const)("is no %s, and opens none of them", async (mimeType) => {
      const address = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
      for (const target of [`file://${canary}`, `${canary}.mp3`, address]) {
        for (const list of [
          `#EXTM3U\n#EXTINF:1,\n${target}\n#EXT-X-ENDLIST\n`,
          `ffconcat version 1.0\nfile ${target}\n`,
          `<?xml version="1.0"?><MPD><Period><BaseURL>${target}</BaseURL></Period></MPD>`,
          `v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\na=control:${target}\r\n`,
        ]) {
          await expectImpossible(Buffer.from(list), mimeType, /decoded|opened|no sound/i);
        }
      }
    });
  });

  it.each(["audio/mpeg", "audio/mp4"] as const)("a list of files beside it is no %s", async (mimeType) => {
    const storageKey = await processing.keep(Buffer.from("ffconcat version 1.0\nfile canary.mp3\n"));
    await writeFile(join(processing.folderOf(storageKey), "canary.mp3"), makeMp3({ seconds: 1 }));
    const working = processing.processor.work({ storageKey, mimeType }, new AbortController().signal, () => {});
    await expect(working).rejects.toMatchObject({ name: "ImpossibleJobError" });
  });

  it.skipIf(ffmpegPath !== null)("headers that no music has are named", async () => {
    const [channels, rate] = [withCookie({ channels: 64 }), withCookie({ sampleRate: 768_000 })];
    await expectImpossible(channels, "audio/mp4", /^1 to 8 channels are supported, not 0\.$/);
    await expectImpossible(rate, "audio/mp4", /^Sample rates up to 192000 Hz are supported, not 768000\.$/);
  });

  it.each<[string, () => Uint8Array, AudioFormat, RegExp]>([
    ["an empty MP3", () => Buffer.alloc(0), "audio/mpeg", /cannot be opened as MP3|cannot be decoded/],
    ["an empty M4A", () => Buffer.alloc(0), "audio/mp4", /cannot be opened as M4A|cannot be decoded/],
    ["a tag without sound", () => id3Tag({ paddingBytes: 10_000 }), "audio/mpeg", /No sound|cannot be/],
    ["random bytes as MP3", () => random(50_000, 1), "audio/mpeg", /No sound|cannot be|sound track/],
    ["an M4A without its index", () => m4a().subarray(0, mdatBytes(m4a())), "audio/mp4", /\(moov\)|cannot be decoded/],
    ["an M4A of its index only", () => m4a().subarray(0, 40), "audio/mp4", /\(moov\)|cannot be decoded/],
    ["an M4A whose track is no sound", () => replaced(m4a(), "soun", "vide"), "audio/mp4", /no sound track/],
    ["an M4A with another codec", () => withAc3(), "audio/mp4", /codec other than|cannot be|No sound/],
    ["an M4A of 64 channels", () => withCookie({ channels: 64 }), "audio/mp4", /channels are supported|cannot be/],
    ["an M4A of 768 kHz", () => withCookie({ sampleRate: 768_000 }), "audio/mp4", /not 768000|cannot be/],
  ])("%s is impossible", async (_name, bytes, mimeType, message) => {
    await expectImpossible(bytes(), mimeType, message);
  });

  it("a sound longer than the maximum is impossible", async () => {
    const message = /^The sound is longer than 0\.0166\d* hours: cut it into parts\.$/;
    await expectImpossible(
      makeMp3({ seconds: 61, expression: "0", bitRate: 8_000, sampleRate: 8_000 }),
      "audio/mpeg",
      message,
    );
    await expectImpossible(
      makeM4a({ seconds: 61, expression: "0", codec: "alac", sampleRate: 8_000 }),
      "audio/mp4",
      message,
    );
  });

  it("a truncated MP3 has the duration of its sound, not that of its headers", async () => {
    const mp3 = makeMp3({ seconds: 10 });
    const { sound } = await processing.work(mp3.subarray(0, mp3.length / 2));
    expect(sound.durationMs).toBeGreaterThan(4_900);
    expect(sound.durationMs).toBeLessThan(5_100);
  });

  it("an index that claims hours has the duration of its sound", async () => {
    const lying = m4a();
    // The durations of the file and of its track, in milliseconds.
    lying.writeUInt32BE(36_000_000, lying.indexOf("mvhd") + 20);
    lying.writeUInt32BE(36_000_000, lying.indexOf("tkhd") + 24);
    const { sound, file } = await processing.work(lying, "audio/mp4");
    expect(Math.abs(sound.durationMs - 2_000)).toBeLessThan(50);
    expect(file?.sizeBytes).toBeLessThan(45_000);
  });

  it("an MP3 with a tag of 50 MB is measured", async () => {
    const tag = id3Tag({ texts: { TIT2: "x".repeat(25_000_000), TPE1: "<script>alert(1)</script>" } });
    const { sound } = await processing.work(Buffer.concat([tag, makeMp3({ seconds: 1 })]));
    expect(sound).toMatchObject({ durationMs: 1_000, artist: "<script>alert(1)</script>" });
  });
});

describe("an ffmpeg program", () => {
  it("that cannot be started fails the attempt, which may be retried", async () => {
    const processing = await startProcessing({ ffmpegPath: "/no/such/ffmpeg" });
    try {
      await expect(processing.work(makeMp3({ seconds: 1 }))).rejects.toMatchObject({
        name: "Error",
        message: expect.stringMatching(/^The program of FFMPEG_PATH cannot be started: .*ENOENT/),
      });
    } finally {
      await processing.stop();
    }
  });

  it.each([
    ["is killed", "kill -9 $$", "ffmpeg ended unexpectedly (SIGKILL)."],
    [
      "fails in the middle",
      "printf 'RIFF....WAVEfmt \\020\\0\\0\\0\\003\\0\\001\\0\\100\\037\\0\\0\\0\\0\\0\\0\\0\\0\\040\\0data....aaaa'; exit 3",
      "ffmpeg ended with exit code 3.",
    ],
  ])("that %s fails the attempt, which may be retried", async (_name, script, message) => {
    const processing = await startProcessing();
    const program = await processing.fileOf(Buffer.from(`#!/bin/sh\n${script}\n`));
    await chmod(program, 0o700);
    const own = await startProcessing({ ffmpegPath: program });
    try {
      await expect(own.work(makeMp3({ seconds: 1 }))).rejects.toMatchObject({ name: "Error", message });
    } finally {
      await own.stop();
      await processing.stop();
    }
  });

  it.skipIf(ffmpeg === null)("finds what the libraries find", async () => {
    const [native, program] = [await startProcessing(), await startProcessing({ ffmpegPath: ffmpeg })];
    try {
      const expression = "gte(t,0.5)*0.5*sin(2*PI*440*t)";
      for (const [bytes, mimeType] of [
        [makeMp3({ seconds: 2, expression }), "audio/mpeg"],
        [makeM4a({ seconds: 2, expression, codec: "alac", title: "-y", channels: 1 }), "audio/mp4"],
      ] as const) {
        const [one, other] = [await native.work(bytes, mimeType), await program.work(bytes, mimeType)];
        expect(Math.abs(one.sound.durationMs - other.sound.durationMs)).toBeLessThan(50);
        expect(Math.abs(one.sound.leadingSilenceMs - other.sound.leadingSilenceMs)).toBeLessThan(50);
        expect(one.sound.loudnessLufs).toBeCloseTo(other.sound.loudnessLufs ?? 0, 0);
        expect(one.sound.truePeakDb).toBeCloseTo(other.sound.truePeakDb ?? 0, 0);
        for (const [slice, peak] of one.sound.peaks.entries()) {
          if (slice % 10 === 0)
            expect(Math.abs(peak - (other.sound.peaks[slice] ?? 0)), `slice ${slice}`).toBeLessThan(30);
        }
        expect(other.file?.mimeType).toBe(one.file?.mimeType);
        if (other.file) {
          const again = await native.work(await program.files.read(other.file.storageKey));
          expect(Math.abs(again.sound.durationMs - 2_000)).toBeLessThan(50);
        }
      }
    } finally {
      await Promise.all([native.stop(), program.stop()]);
    }
  });
});

describe("damaged files", () => {
  const seed = Number(process.env.LECTERN_SEED ?? Date.now() % 1_000_000);
  const count = process.env.LECTERN_LONG ? 500 : 12;

  it("are completed or impossible", { timeout: 1_800_000 }, async () => {
    console.info(`Seed of damaged sounds: LECTERN_SEED=${seed}`);
    const next = randomFrom(seed);
    const processing = await startProcessing({ timeoutMs: 300_000 });
    const originals = [
      makeMp3({ seconds: 1, title: "t" }),
      makeM4a({ seconds: 1, title: "t" }),
      makeM4a({ seconds: 1, codec: "alac" }),
    ];
    try {
      for (let done = 0; done < count; done += 2) {
        const damage = () => {
          const index = Math.floor(next() * originals.length);
          const bytes = damaged(originals[index] as Buffer, next);
          return { bytes, mimeType: index === 0 ? "audio/mpeg" : "audio/mp4" } as const;
        };
        const jobs = [damage(), damage()].map(({ bytes, mimeType }) => processing.work(bytes, mimeType));
        for (const outcome of await Promise.allSettled(jobs)) {
          if (outcome.status === "rejected")
            expect(outcome.reason, `seed ${seed}`).toMatchObject({ name: "ImpossibleJobError" });
          else requireWhole(outcome.value);
        }
      }
      expect((await processing.stored()).filter((id) => id.startsWith("staged"))).toEqual([]);
      expect((await processing.work(makeMp3({ seconds: 1 }))).sound.durationMs).toBe(1_000);
    } finally {
      await processing.stop();
    }
  });

  function requireWhole({ sound }: AudioResult): void {
    expect(sound.durationMs).toBeGreaterThan(0);
    // Damage may repeat sound, but not make more than there are bytes for.
    expect(sound.durationMs).toBeLessThan(60_000);
    expect(sound.leadingSilenceMs + sound.trailingSilenceMs).toBeLessThanOrEqual(sound.durationMs);
    for (const value of [sound.loudnessLufs, sound.truePeakDb]) if (value !== null) expect(value).toBeTypeOf("number");
    expect(sound.peaks).toHaveLength(1_000);
  }
});

it.skipIf(!process.env.LECTERN_LONG)("ten hours of silence are refused after six", { timeout: 900_000 }, async () => {
  const processing = await startProcessing({ maxDurationMs: 6 * 3_600_000, timeoutMs: 800_000, memoryMb: 250 });
  try {
    const hour = makeMp3({ seconds: 3_600, expression: "0", channels: 1, sampleRate: 8_000, bitRate: 8_000 });
    const begun = performance.now();
    await expect(processing.work(Buffer.concat(Array(10).fill(hour)))).rejects.toThrow("longer than 6 hours");
    console.info(`Six hours of 8 kHz took ${Math.round(performance.now() - begun)} ms.`);
  } finally {
    await processing.stop();
  }
});

function random(length: number, seed: number): Buffer {
  const next = randomFrom(seed);
  return Buffer.from(Uint8Array.from({ length }, () => Math.floor(next() * 256)));
}

/** With one to twenty changed bits or bytes, and perhaps without its end. */
function damaged(original: Buffer, next: () => number): Buffer {
  const bytes = Buffer.from(original);
  // Half of the changes hit the headers: the first bytes, or the index at the end.
  const headers = bytes.indexOf("moov");
  for (let change = Math.ceil(next() * 20); change > 0; change--) {
    const inHeaders = next() < 0.5;
    const [from, to] = !inHeaders ? [0, bytes.length] : headers > 0 ? [headers, bytes.length] : [0, 500];
    const at = from + Math.floor(next() * (to - from));
    bytes[at] = next() < 0.5 ? (bytes[at] as number) ^ (1 << Math.floor(next() * 8)) : Math.floor(next() * 256);
  }
  return next() < 0.3 ? bytes.subarray(0, Math.floor(next() * bytes.length)) : bytes;
}

function replaced(bytes: Buffer, before: string, after: string): Buffer {
  const at = bytes.indexOf(before);
  if (at < 0) throw new Error(`The file has no ${before}.`);
  bytes.write(after, at, "latin1");
  return bytes;
}

/** An M4A file that says that its sound is AC-3. */
function withAc3(): Buffer {
  const bytes = makeM4a({ seconds: 2 });
  // The byte after the tag and the length of the decoder's description.
  bytes[bytes.indexOf(Buffer.of(4, 0x80, 0x80, 0x80), bytes.indexOf("esds")) + 5] = 0xa5;
  return bytes;
}

/** An ALAC file whose decoder is told another sample rate and number of channels. */
function withCookie({ channels, sampleRate }: { channels?: number; sampleRate?: number }): Buffer {
  const bytes = makeM4a({ seconds: 1, codec: "alac" });
  // The second box of this name, in the first: its size, name, version and 24 bytes of parameters.
  const cookie = bytes.indexOf("alac", bytes.indexOf("alac") + 4) + 8;
  if (channels) bytes[cookie + 9] = channels;
  if (sampleRate) bytes.writeUInt32BE(sampleRate, cookie + 20);
  return bytes;
}
