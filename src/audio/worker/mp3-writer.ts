/** Encodes sound as MP3 and writes it to a file, with a header that tells players its length and gaps. */
import { AV_CODEC_ID_MP3, type AVSampleFormat } from "node-av/constants";
import {
  Codec,
  CodecContext,
  Dictionary,
  FFmpegError,
  type FilterContext,
  FormatContext,
  type Frame,
  Packet,
  Rational,
} from "node-av/lib";
import { type Mp3Target, mp3BitRate, writtenTags } from "./decoding.ts";

/** Samples of a frame of MPEG 1, Layer III. */
export const mp3FrameSamples = 1_152;

export class Mp3Writer {
  readonly #encoder = new CodecContext();
  readonly #file = new FormatContext();
  readonly #packet = new Packet();
  readonly #stream;
  #samples = 0n;
  #isOpen = false;

  /**
   * @param output of the filters: `mp3FrameSamples` in each frame but the last
   * @throws FFmpegError, also if the file cannot be written
   */
  constructor(output: FilterContext, { path, tags }: Mp3Target) {
    const codec = Codec.findEncoder(AV_CODEC_ID_MP3);
    if (!codec) throw new Error("This build of FFmpeg encodes no MP3.");
    this.#packet.alloc();
    const encoder = this.#encoder;
    encoder.allocContext3(codec);
    encoder.sampleRate = output.buffersinkGetSampleRate();
    encoder.channelLayout = output.buffersinkGetChannelLayout();
    encoder.sampleFormat = output.buffersinkGetFormat() as AVSampleFormat;
    encoder.timeBase = new Rational(1, encoder.sampleRate);
    encoder.bitRate = BigInt(mp3BitRate);
    check(encoder.open2Sync(codec, null));
    check(this.#file.allocOutputContext2(null, "mp3", path));
    this.#stream = this.#file.newStream();
    check(this.#stream.codecpar.fromContext(encoder));
    this.#stream.timeBase = encoder.timeBase;
    this.#file.metadata = Dictionary.fromObject(writtenTags(tags));
    check(this.#file.openOutputSync());
    this.#isOpen = true;
    // Version 3 of ID3v2, because some players do not read version 4.
    check(this.#file.writeHeaderSync(Dictionary.fromObject({ id3v2_version: 3, write_xing: 1 })));
  }

  write(frame: Frame): void {
    frame.pts = this.#samples;
    this.#samples += BigInt(frame.nbSamples);
    check(this.#encoder.sendFrameSync(frame));
    this.#writePackets();
  }

  /** Completes the file. */
  end(): void {
    check(this.#encoder.sendFrameSync(null));
    this.#writePackets();
    check(this.#file.writeTrailerSync());
  }

  /** Closes the file, complete or not. */
  close(): void {
    if (this.#isOpen) this.#file.closeOutputSync();
    this.#isOpen = false;
    this.#packet.free();
    this.#encoder.freeContext();
    this.#file.freeContext();
  }

  #writePackets(): void {
    // The first error means that the encoder needs further frames, or has ended.
    while (this.#encoder.receivePacketSync(this.#packet) >= 0) {
      this.#packet.streamIndex = this.#stream.index;
      this.#packet.rescaleTs(this.#encoder.timeBase, this.#stream.timeBase);
      check(this.#file.interleavedWriteFrameSync(this.#packet));
      this.#packet.unref();
    }
  }
}

const check = (code: number) => FFmpegError.throwIfError(code, "writing MP3");
