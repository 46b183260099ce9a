/** Formats by their first bytes, real and hostile. */
import { describe, expect, it } from "vitest";
import { detectFormat } from "../../../src/audio/sound/format.ts";
import { findFrames, frameAt } from "../../../src/audio/sound/mpeg-frames.ts";
import { headBytes } from "../../../src/storage/file-store.ts";
import { id3Tag, makeM4a, makeMp3, png } from "../../support/sounds.ts";

const headOf = (...parts: (Buffer | string)[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string))).subarray(0, headBytes);
const mp3 = { mimeType: "audio/mpeg" };
const m4a = { mimeType: "audio/mp4" };
const refused = (reason: string) => ({ mimeType: null, reason });

const tone = makeMp3({ seconds: 1 });
/** The tone without the tag that the encoder writes before it. */
const frames = tone.subarray(findFrames(tone, { from: 0, to: tone.length, count: 3 }) ?? expect.unreachable());
const lengthOfFirst = frameAt(frames, 0)?.lengthBytes ?? expect.unreachable();

/** A frame of silence after its header: MPEG version bits, bit rate index, sample rate index. */
function frame(version: number, bitrate: number, sampleRate: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  bytes.set([0xff, 0xe3 | (version << 3), (bitrate << 4) | (sampleRate << 2)]);
  return bytes;
}

describe("an MP3 file", () => {
  it.each([
    ["with an ID3 tag", tone],
    ["without a tag", frames],
    ["with two tags", headOf(id3Tag({ texts: { TIT2: "One" } }), id3Tag({ texts: { TIT2: "Two" } }), frames)],
    ["with a tag longer than the head", headOf(id3Tag({ paddingBytes: 100_000 }))],
    ["with junk between tag and frames", headOf(id3Tag(), Buffer.alloc(3_000), frames)],
    ["with junk before the frames", headOf(Buffer.alloc(1_000, "\xff\xfb\0", "latin1"), frames)],
    ["of one frame", frames.subarray(0, lengthOfFirst)],
    ["of one frame and an ID3v1 tag", headOf(frames.subarray(0, lengthOfFirst), `TAG${"\0".repeat(125)}`)],
  ])("%s is detected", async (_name, bytes) => {
    expect(await detectFormat(headOf(bytes))).toEqual(mp3);
  });

  it("of each version of MPEG is detected by the length of its frames", () => {
    // 128 kbit/s at 44.1 kHz; 64 kbit/s at 22.05 kHz; 64 kbit/s at 11.025 kHz.
    expect(frameAt(frame(3, 9, 0, 417), 0)?.lengthBytes).toBe(417);
    expect(frameAt(frame(2, 8, 0, 208), 0)?.lengthBytes).toBe(208);
    expect(frameAt(frame(0, 8, 0, 417), 0)?.lengthBytes).toBe(417);
  });

  it("has headers that are valid", () => {
    for (const [version, bitrate, rate] of [
      [1, 9, 0],
      [3, 0, 0],
      [3, 15, 0],
      [3, 9, 3],
    ] as const) {
      expect(frameAt(frame(version, bitrate, rate, 417), 0), `${version} ${bitrate} ${rate}`).toBeNull();
    }
    const layer2 = frame(3, 9, 0, 417);
    layer2[1] = 0xfd;
    expect(frameAt(layer2, 0)).toBeNull();
    expect(frameAt(frame(3, 9, 0, 417).subarray(0, 3), 0)).toBeNull();
  });

  it("is not one frame that another kind follows, nor one that is cut", async () => {
    const [one, other] = [frame(3, 9, 0, 417), frame(3, 9, 1, 384)];
    expect(await detectFormat(headOf(one, one))).toEqual(mp3);
    expect(await detectFormat(headOf(one, other, other, other))).toEqual(mp3);
    expect(await detectFormat(headOf(one, other))).toMatchObject({ mimeType: null });
    expect(await detectFormat(one.subarray(0, 300))).toMatchObject({ mimeType: null });
  });

  it("begins within the first 8 KiB", async () => {
    expect(await detectFormat(headOf(Buffer.alloc(8_191), frames))).toEqual(mp3);
    expect(await detectFormat(headOf(Buffer.alloc(8_193), frames))).toMatchObject({ mimeType: null });
  });
});

describe("an M4A file", () => {
  it.each([
    ["AAC", makeM4a({ seconds: 1 })],
    ["ALAC", makeM4a({ seconds: 1, codec: "alac" })],
  ])("with %s is detected", async (_name, bytes) => {
    expect(await detectFormat(headOf(bytes))).toEqual(m4a);
  });

  const ftyp = (major: string, ...compatible: string[]) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(16 + 4 * compatible.length);
    return headOf(size, `ftyp${major}\0\0\0\0`, ...compatible);
  };

  it.each(["M4A ", "M4B ", "mp42", "mp41", "isom", "iso2", "iso6", "dash"])(
    "of the brand %s is detected",
    async (brand) => {
      expect(await detectFormat(ftyp(brand))).toEqual(m4a);
      expect(await detectFormat(ftyp("XXXX", "YYYY", brand))).toEqual(m4a);
    },
  );

  it("is told from other files in its container", async () => {
    expect(await detectFormat(ftyp("heic", "mif1", "isom"))).toEqual(refused("an HEIC image"));
    expect(await detectFormat(ftyp("avif", "iso8"))).toEqual(refused("an AVIF image"));
    expect(await detectFormat(ftyp("qt  "))).toEqual(refused("a QuickTime movie"));
    expect(await detectFormat(ftyp("M4P ", "M4A "))).toEqual(refused("a copy-protected M4P file"));
    expect(await detectFormat(ftyp("XXXX"))).toEqual(refused("an MP4 file of an unknown brand"));
    // The brand is beyond the end of its box.
    expect(await detectFormat(headOf(ftyp("XXXX"), "isom"))).toEqual(refused("an MP4 file of an unknown brand"));
  });
});

describe("any other file is refused with a reason", () => {
  const wav = headOf("RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0");
  it.each<[string, Buffer | string]>([
    ["an empty file", ""],
    ["text", "x"],
    ["text", "Just a text about sound."],
    ["binary data of an unknown format", Buffer.from([0])],
    ["binary data of an unknown format", Buffer.alloc(70_000)],
    ["a PNG image", png],
    ["a WAV file", wav],
    ["a FLAC file", "fLaC\0\0\0\x22"],
    ["an Ogg file", "OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1e\x01vorbis\0\0\0\0"],
    ["an ELF program", "\x7fELF\x02\x01\x01\0\0\0\0\0"],
    ["an HTML page", "\n <!DOCTYPE html><html></html>"],
    ["an SVG image", "<svg onload=alert(1)>"],
    ["an XML or HTML file", '<?xml version="1.0"?><MPD/>'],
    ["a playlist", "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"],
    ["a playlist", "\ufeff#EXTM3U\n"],
    ["a playlist", "[playlist]\nFile1=http://127.0.0.1/"],
    ["an ffconcat list", "ffconcat version 1.0\nfile canary.txt\n"],
    ["an SDP description", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n"],
    ["an HTML page", headOf(id3Tag(), "<html><script>alert(1)</script>")],
    ["an ID3 tag without MP3 frames", headOf(id3Tag(), Buffer.alloc(100))],
  ])("%s", async (reason, bytes) => {
    expect(await detectFormat(headOf(bytes))).toEqual(refused(reason));
  });

  it("although three frames stand in it", async () => {
    expect(await detectFormat(headOf(png, frames))).toEqual(refused("a PNG image"));
  });
});
