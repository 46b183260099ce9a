/**
 * Decodes a file by FFmpeg's libraries inside this process. They are native code: a file may crash the process, or make
 * it use much memory.
 */
import { setImmediate as turn } from "node:timers/promises";
import {
  AV_CHANNEL_ORDER_NATIVE,
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_ALAC,
  AV_CODEC_ID_MP3,
  AV_LOG_QUIET,
  AV_OPT_SEARCH_CHILDREN,
  type AVCodecID,
  AVDISCARD_ALL,
  AVMEDIA_TYPE_AUDIO,
} from "node-av/constants";
import {
  Codec,
  CodecContext,
  Dictionary,
  FormatContext,
  Frame,
  InputFormat,
  Log,
  Option,
  Packet,
  type Stream,
} from "node-av/lib";
import type { AudioFormat } from "../sound/format.ts";
import { ImpossibleSoundError, requirePlausible, type SoundMeter } from "../sound/sound-meter.ts";
import { codecNames, type Decoding, type Loudness, loudnessOf, mp3Layout } from "./decoding.ts";
import { FilterChain, type FrameLayout, isSameLayout, layoutOf } from "./filter-graph.ts";
import { Mp3Writer, mp3FrameSamples } from "./mp3-writer.ts";

const demuxers: Record<AudioFormat, string> = { "audio/mpeg": "mp3", "audio/mp4": "mov" };
/** `mov` would open files that the file names, if it were told to. */
const inputOptions = { protocol_whitelist: "file", codec_whitelist: codecNames, enable_drefs: 0 };
const codecs = new Set<AVCodecID>([AV_CODEC_ID_MP3, AV_CODEC_ID_AAC, AV_CODEC_ID_ALAC]);
/** Time after which other work of this process has a turn, such as the removal of used buffers. */
const turnMs = 20;

/** @throws ImpossibleSoundError if the file is the cause */
export async function decodeNatively({ path, mimeType, meter, mp3, report }: Decoding): Promise<Loudness> {
  Log.setLevel(AV_LOG_QUIET);
  using input = new OpenInput(path, mimeType);
  using sound = new SoundPath(meter, mp3);
  let turnBegan = performance.now();
  for (const frame of input.frames()) {
    if (frame) sound.add(frame);
    if (performance.now() - turnBegan < turnMs) continue;
    if (input.claimedMs > 0) report(Math.min(0.99, meter.durationMs / input.claimedMs));
    // Node frees native buffers, and notices the end of the parent, between turns only.
    await turn();
    turnBegan = performance.now();
  }
  return sound.end();
}

/** A file with its demuxer and decoder. */
class OpenInput implements Disposable {
  readonly #file = new FormatContext();
  readonly #decoder = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  readonly #stream: Stream;
  /** The duration in the headers, which may lie; 0 if unknown. */
  readonly claimedMs: number;

  constructor(path: string, mimeType: AudioFormat) {
    this.#file.allocContext();
    const format = InputFormat.findInputFormat(demuxers[mimeType]);
    if (this.#file.openInputSync(`file:${path}`, format, Dictionary.fromObject(inputOptions)) < 0) {
      throw new ImpossibleSoundError(cannotOpen[mimeType]);
    }
    // Its errors concern some streams, perhaps not that of the sound.
    this.#file.findStreamInfoSync(null);
    const stream = this.#file.streams.find(({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_AUDIO);
    if (!stream) throw new ImpossibleSoundError("The file has no sound track.");
    for (const other of this.#file.streams) if (other.index !== stream.index) other.discard = AVDISCARD_ALL;
    this.#stream = stream;
    this.claimedMs = Number(this.#file.duration) / 1_000;
    this.#openDecoder();
    this.#packet.alloc();
    this.#frame.alloc();
  }

  #openDecoder(): void {
    const { codecpar } = this.#stream;
    const codec = codecs.has(codecpar.codecId) ? Codec.findDecoder(codecpar.codecId) : null;
    if (!codec) throw new ImpossibleSoundError("The sound is in a codec other than MP3, AAC and ALAC.");
    requirePlausible(codecpar);
    this.#decoder.allocContext3(codec);
    this.#decoder.parametersToContext(codecpar);
    this.#decoder.threadCount = 1;
    if (this.#decoder.open2Sync(codec, null) < 0) {
      throw new ImpossibleSoundError("The sound cannot be decoded: the file is damaged.");
    }
  }

  /** Decoded frames, each valid until the next; undefined after each packet. Damaged packets are left out. */
  *frames(): Generator<Frame | undefined> {
    while (this.#file.readFrameSync(this.#packet) >= 0) {
      if (this.#packet.streamIndex === this.#stream.index) {
        this.#decoder.sendPacketSync(this.#packet);
        yield* this.#decoded();
      }
      this.#packet.unref();
      yield undefined;
    }
    this.#decoder.sendPacketSync(null);
    yield* this.#decoded();
  }

  *#decoded(): Generator<Frame> {
    while (this.#decoder.receiveFrameSync(this.#frame) >= 0) {
      requirePlausible(this.#frame);
      if (this.#frame.nbSamples > 0) yield this.#frame;
      this.#frame.unref();
    }
  }

  [Symbol.dispose](): void {
    this.#decoder.freeContext();
    this.#file.closeInputSync();
    this.#packet.free();
    this.#frame.free();
  }
}

const cannotOpen: Record<AudioFormat, string> = {
  "audio/mpeg": "The file cannot be opened as MP3: it is damaged or incomplete.",
  "audio/mp4": "The file cannot be opened as M4A: it is damaged, or incomplete and without its index (moov).",
};

/**
 * The way of the frames: to the meter through the loudness filter, and to the MP3 file. Their layout is that of the first
 * frame. Frames of another layout, as in files that were joined, are converted to it.
 */
class SoundPath implements Disposable {
  readonly #meter: SoundMeter;
  readonly #mp3: Decoding["mp3"];
  #converting: FilterChain | undefined;
  #measuring: FilterChain | undefined;
  #encoding: { filters: FilterChain; writer: Mp3Writer } | undefined;
  #samples = 0n;

  constructor(meter: SoundMeter, mp3: Decoding["mp3"]) {
    this.#meter = meter;
    this.#mp3 = mp3;
  }

  add(frame: Frame): void {
    const layout = layoutOf(frame);
    // The filters refuse frames that do not name their speakers.
    setSpeakers(frame, layout);
    this.#measuring ??= this.#open(layout);
    if (this.#converting && !isSameLayout(this.#converting.layout, layout)) this.#endConverting();
    const expected = this.#measuring.layout;
    if (isSameLayout(expected, layout)) {
      this.#pass(frame);
    } else {
      this.#converting ??= new FilterChain(layout, conversionTo(expected));
      this.#converting.pass(frame, (converted) => this.#pass(converted));
    }
  }

  end(): Loudness {
    this.#endConverting();
    if (!this.#measuring) return { loudnessLufs: null, truePeakDb: null };
    this.#pass(null);
    this.#encoding?.writer.end();
    const filter = this.#measuring.filter(loudnessFilter).getNative();
    const measured = (name: string) =>
      Option.getDouble(filter, name, AV_OPT_SEARCH_CHILDREN) ?? Number.NEGATIVE_INFINITY;
    return loudnessOf({ integrated: measured("integrated"), truePeak: measured("true_peak") });
  }

  [Symbol.dispose](): void {
    this.#encoding?.writer.close();
    for (const chain of [this.#encoding?.filters, this.#converting, this.#measuring]) chain?.free();
  }

  #open(layout: FrameLayout): FilterChain {
    if (this.#mp3) {
      const filters = new FilterChain(layout, encodingFilters);
      this.#encoding = { filters, writer: new Mp3Writer(filters.output, this.#mp3) };
    }
    return new FilterChain(layout, `${loudnessFilter}=peak=true`);
  }

  /** Passes on a frame, or the end of the sound. */
  #pass(frame: Frame | null): void {
    if (frame) {
      // Timestamps of a hostile file may go back or overflow.
      frame.pts = this.#samples;
      this.#samples += BigInt(frame.nbSamples);
    }
    this.#encoding?.filters.pass(frame, (filtered) => this.#encoding?.writer.write(filtered));
    this.#measuring?.pass(frame, ({ data, nbSamples, channels, sampleRate }) => {
      const [bytes] = data ?? [];
      if (!bytes) throw new Error("A frame has no samples.");
      const samples = new Float64Array(bytes.buffer, bytes.byteOffset, nbSamples * channels);
      this.#meter.add({ samples, channels, sampleRate });
    });
  }

  #endConverting(): void {
    this.#converting?.pass(null, (converted) => this.#pass(converted));
    this.#converting?.free();
    this.#converting = undefined;
  }
}

/** The name of the filter with that of its instance. Its output are interleaved samples of 64 bits. */
const loudnessFilter = "ebur128@loudness";
const encodingFilters = `aformat=${mp3Layout}:sample_fmts=fltp,asetnsamples=n=${mp3FrameSamples}:p=0`;

const conversionTo = ({ sampleRate, sampleFormat, channelMask }: FrameLayout) =>
  `aformat=sample_fmts=${sampleFormat}:sample_rates=${sampleRate}:channel_layouts=0x${channelMask.toString(16)}`;

function setSpeakers(frame: Frame, { channelMask }: FrameLayout): void {
  if (frame.channelLayout.mask === channelMask) return;
  frame.channelLayout = { nbChannels: frame.channels, order: AV_CHANNEL_ORDER_NATIVE, mask: channelMask };
}
