/**
 * Sounds made by code, as MP3 and M4A files. Equal sounds are made once.
 *
 * ```ts
 * makeMp3({ seconds: 2, title: "A tone" });
 * makeM4a({ seconds: 2, codec: "alac", expression: "0.5*sin(2*PI*1000*t)*gte(t,1)" });   // begins with silence
 * ```
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_ALAC,
  AV_CODEC_ID_MP3,
  AV_LOG_ERROR,
  type AVCodecID,
  type AVSampleFormat,
} from "node-av/constants";
import {
  Codec,
  CodecContext,
  Dictionary,
  FFmpegError,
  Filter,
  FilterGraph,
  FilterInOut,
  FormatContext,
  Frame,
  Log,
  Packet,
  Rational,
} from "node-av/lib";

export type SoundOptions = {
  seconds: number;
  /** Of a tone at half of full scale. */
  frequency?: number;
  /** Another sound: each channel's samples by the time `t` in seconds, in FFmpeg's language of expressions. */
  expression?: string;
  sampleRate?: number;
  channels?: 1 | 2;
  /** In bit/s. */
  bitRate?: number;
  title?: string;
  artist?: string;
  album?: string;
};

export const makeMp3 = (options: SoundOptions): Buffer => made("mp3", AV_CODEC_ID_MP3, "fltp", options);

export const makeM4a = ({ codec = "aac", ...options }: SoundOptions & { codec?: "aac" | "alac" }): Buffer =>
  codec === "aac" ? made("ipod", AV_CODEC_ID_AAC, "fltp", options) : made("ipod", AV_CODEC_ID_ALAC, "s16p", options);

const cache = new Map<string, Buffer>();

function made(container: string, codec: AVCodecID, sampleFormat: string, options: SoundOptions): Buffer {
  const key = JSON.stringify([container, codec, options]);
  const bytes = cache.get(key) ?? make(container, codec, sampleFormat, options);
  cache.set(key, bytes);
  // A copy, because tests damage files.
  return Buffer.from(bytes);
}

function make(container: string, codecId: AVCodecID, sampleFormat: string, options: SoundOptions): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "lectern-sound-"));
  try {
    const path = join(folder, "sound");
    write(path, container, codecId, sampleFormat, options);
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function write(path: string, container: string, codecId: AVCodecID, sampleFormat: string, options: SoundOptions): void {
  const { sampleRate = 44_100, channels = 2, bitRate = 128_000, title, artist, album } = options;
  const codec = Codec.findEncoder(codecId);
  if (!codec) throw new Error(`FFmpeg has no encoder for ${codecId}.`);
  const encoder = new CodecContext();
  encoder.allocContext3(codec);
  const { graph, sink } = openSource(options, sampleFormat, frameSamplesOf(codecId, sampleRate));
  encoder.sampleRate = sampleRate;
  encoder.channelLayout = sink.buffersinkGetChannelLayout();
  encoder.sampleFormat = sink.buffersinkGetFormat() as AVSampleFormat;
  encoder.timeBase = new Rational(1, sampleRate);
  encoder.bitRate = BigInt(bitRate);
  const file = new FormatContext();
  check(file.allocOutputContext2(null, container, path));
  // AV_CODEC_FLAG_GLOBAL_HEADER, which MP4 needs.
  if (container === "ipod") encoder.flags = ((encoder.flags as number) | (1 << 22)) as typeof encoder.flags;
  check(encoder.open2Sync(codec, null));
  const stream = file.newStream();
  check(stream.codecpar.fromContext(encoder));
  stream.timeBase = encoder.timeBase;
  file.metadata = Dictionary.fromObject({
    ...(title && { title }),
    ...(artist && { artist }),
    ...(album && { album }),
  });
  check(file.openOutputSync());
  check(file.writeHeaderSync(null));
  const [frame, packet] = [new Frame(), new Packet()];
  frame.alloc();
  packet.alloc();
  const send = (next: Frame | null) => {
    check(encoder.sendFrameSync(next));
    while (encoder.receivePacketSync(packet) >= 0) {
      packet.streamIndex = stream.index;
      packet.rescaleTs(encoder.timeBase, stream.timeBase);
      check(file.interleavedWriteFrameSync(packet));
      packet.unref();
    }
  };
  let samples = 0n;
  while (sink.buffersinkGetFrameSync(frame) >= 0) {
    frame.pts = samples;
    samples += BigInt(frame.nbSamples);
    send(frame);
    frame.unref();
  }
  send(null);
  check(file.writeTrailerSync());
  file.closeOutputSync();
  for (const part of [frame, packet, graph]) part.free();
  encoder.freeContext();
  if (channels !== encoder.channels && encoder.channels > 0) throw new Error("The channels are not those asked for.");
}

/** Samples of each frame that the encoder takes. */
function frameSamplesOf(codecId: AVCodecID, sampleRate: number): number {
  if (codecId === AV_CODEC_ID_AAC) return 1_024;
  if (codecId === AV_CODEC_ID_ALAC) return 4_096;
  return sampleRate < 32_000 ? 576 : 1_152;
}

function openSource(
  {
    seconds,
    frequency = 440,
    expression = `0.5*sin(2*PI*${frequency}*t)`,
    sampleRate = 44_100,
    channels = 2,
  }: SoundOptions,
  sampleFormat: string,
  frameSamples: number,
) {
  const graph = new FilterGraph();
  graph.alloc();
  const layout = channels === 1 ? "mono" : "stereo";
  const sink = graph.createFilter(Filter.getByName("abuffersink") as Filter, "out", null);
  if (!sink) throw new Error("FFmpeg has no filters.");
  const outputs = FilterInOut.createList([{ name: "out", filterCtx: sink, padIdx: 0 }]);
  const channel = expression.replaceAll(",", "\\,");
  const source = `aevalsrc=exprs=${Array(channels).fill(channel).join("|")}:d=${seconds}:s=${sampleRate}:c=${layout}`;
  const frames = `aformat=sample_fmts=${sampleFormat},asetnsamples=n=${frameSamples}:p=0[out]`;
  check(graph.parsePtr(`${source},${frames}`, outputs, null));
  check(graph.configSync());
  return { graph, sink };
}

Log.setLevel(AV_LOG_ERROR);

const check = (code: number) => FFmpegError.throwIfError(code, "making a sound");

/** A PNG image of one pixel, for covers. */
export const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** An ID3v2.3 tag with texts and a picture, to be put before the frames of an MP3 file. */
export function id3Tag({
  texts = {},
  cover,
  paddingBytes = 0,
}: {
  texts?: Record<string, string>;
  cover?: Buffer;
  paddingBytes?: number;
} = {}): Buffer {
  const frame = (name: string, content: Buffer) => {
    const header = Buffer.alloc(10);
    header.write(name, "latin1");
    header.writeUInt32BE(content.length, 4);
    return Buffer.concat([header, content]);
  };
  const frames = Object.entries(texts).map(([name, text]) =>
    frame(name, Buffer.concat([Buffer.from([1, 0xff, 0xfe]), Buffer.from(text, "utf16le")])),
  );
  if (cover) frames.push(frame("APIC", Buffer.concat([Buffer.from("\0image/x\0\x03\0", "latin1"), cover])));
  const content = Buffer.concat([...frames, Buffer.alloc(paddingBytes)]);
  const size = [21, 14, 7, 0].map((bits) => (content.length >> bits) & 0x7f);
  return Buffer.concat([Buffer.from("ID3\x03\0\0", "latin1"), Buffer.from(size), content]);
}

/** An M4A file with a cover. Its index stands at the end, so that the sound keeps its position. */
export function withCover(m4a: Buffer, cover: Buffer): Buffer {
  const box = (name: string, ...parts: Buffer[]) => {
    const header = Buffer.alloc(8);
    header.writeUInt32BE(parts.reduce((sum, { length }) => sum + length, header.length));
    header.write(name, 4, "latin1");
    return Buffer.concat([header, ...parts]);
  };
  const index = m4a.indexOf("moov") - 4;
  // 14 is the number of PNG.
  const data = box("data", Buffer.from([0, 0, 0, 14, 0, 0, 0, 0]), cover);
  const handler = box("hdlr", Buffer.from(`${"\0".repeat(8)}mdirappl${"\0".repeat(9)}`, "latin1"));
  const tags = box("udta", box("meta", Buffer.alloc(4), handler, box("ilst", box("covr", data))));
  return Buffer.concat([m4a.subarray(0, index), box("moov", m4a.subarray(index + 8), tags)]);
}
