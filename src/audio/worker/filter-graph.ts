/** A chain of FFmpeg's filters with one input and one output. */
import { AV_BUFFERSRC_FLAG_KEEP_REF, AV_CHANNEL_ORDER_NATIVE, type AVSampleFormat } from "node-av/constants";
import {
  avGetSampleFmtName,
  FFmpegError,
  Filter,
  type FilterContext,
  FilterGraph,
  FilterInOut,
  Frame,
} from "node-av/lib";

/** Equal in all frames that a chain accepts. */
export type FrameLayout = { sampleRate: number; sampleFormat: string; channelMask: bigint };

/** Masks of speakers by the number of channels, for files that do not name the speakers: mono to 7.1. */
const defaultMasks = [0x4n, 0x3n, 0xbn, 0x107n, 0x37n, 0x3fn, 0x13fn, 0x63fn];

export function layoutOf({ sampleRate, format, channelLayout, channels }: Frame): FrameLayout {
  const isKnown = channelLayout.order === AV_CHANNEL_ORDER_NATIVE && channelLayout.mask !== 0n;
  return {
    sampleRate,
    sampleFormat: avGetSampleFmtName(format as AVSampleFormat) ?? "none",
    channelMask: isKnown ? channelLayout.mask : (defaultMasks[channels - 1] ?? 0n),
  };
}

export const isSameLayout = (one: FrameLayout, other: FrameLayout) =>
  one.sampleRate === other.sampleRate &&
  one.sampleFormat === other.sampleFormat &&
  one.channelMask === other.channelMask;

export class FilterChain {
  readonly layout: FrameLayout;
  readonly output: FilterContext;
  readonly #graph = new FilterGraph();
  readonly #input: FilterContext;

  /**
   * @param layout of the frames that will be added
   * @param filters in FFmpeg's language
   * @throws FFmpegError
   */
  constructor(layout: FrameLayout, filters: string) {
    this.layout = layout;
    const { sampleRate, sampleFormat, channelMask } = layout;
    const form = `sample_rate=${sampleRate}:sample_fmt=${sampleFormat}:channel_layout=0x${channelMask.toString(16)}`;
    this.#graph.alloc();
    this.#input = this.#create("abuffer", "in", `${form}:time_base=1/${sampleRate}`);
    this.output = this.#create("abuffersink", "out", null);
    const source = FilterInOut.createList([{ name: "in", filterCtx: this.#input, padIdx: 0 }]);
    const sink = FilterInOut.createList([{ name: "out", filterCtx: this.output, padIdx: 0 }]);
    check(this.#graph.parsePtr(filters, sink, source));
    check(this.#graph.configSync());
  }

  /** Adds a frame, which remains the caller's, or the end of the sound; calls `use` with each frame that is ready then. */
  pass(frame: Frame | null, use: (filtered: Frame) => void): void {
    check(this.#input.buffersrcAddFrameSync(frame, AV_BUFFERSRC_FLAG_KEEP_REF));
    const filtered = new Frame();
    filtered.alloc();
    try {
      // The first error means that the chain needs further frames, or has ended.
      while (this.output.buffersinkGetFrameSync(filtered) >= 0) {
        use(filtered);
        filtered.unref();
      }
    } finally {
      filtered.free();
    }
  }

  /** A filter by the name that `filters` gives it: `volume@name`. */
  filter(name: string): FilterContext {
    const found = this.#graph.getFilter(name);
    if (!found) throw new Error(`The chain has no filter ${name}.`);
    return found;
  }

  free(): void {
    this.#graph.free();
  }

  #create(filter: string, name: string, parameters: string | null): FilterContext {
    const found = Filter.getByName(filter);
    const created = found && this.#graph.createFilter(found, name, parameters);
    if (!created) throw new Error(`FFmpeg cannot make the filter ${filter} with ${parameters}.`);
    return created;
  }
}

const check = (code: number) => FFmpegError.throwIfError(code, "filters");
