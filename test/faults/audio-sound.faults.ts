import type { Fault } from "./fault.ts";

const format = ["test/audio/sound/format.unit.test.ts"];
const peaks = ["test/audio/sound/peaks.unit.test.ts"];
const tags = ["test/audio/sound/tags.test.ts"];
const processor = ["test/audio/worker/processor.test.ts"];
const hostile = ["test/audio/worker/hostile-sounds.test.ts"];

export const faults: Fault[] = [
  {
    name: "bytes that look like two frames are an MP3",
    file: "src/audio/sound/format.ts",
    replace: { "const isMp3 = other === null &&": "const isMp3 =" },
    tests: format,
  },
  {
    name: "anything behind an ID3 tag is an MP3",
    file: "src/audio/sound/format.ts",
    replace: { "if (soundAt >= head.length) return": "if (soundAt > 0) return" },
    tests: format,
  },
  {
    name: "an image in an MP4 container is a sound",
    file: "src/audio/sound/format.ts",
    replace: { "if (other) return refused(other[1]);": "" },
    tests: format,
  },
  {
    name: "frames of different kinds follow each other",
    file: "src/audio/sound/mpeg-frames.ts",
    replace: { "if (next?.kind !== first.kind) return false;": "if (!next) return false;" },
    tests: format,
  },
  {
    name: "merged peaks are those of the first halves",
    file: "src/audio/sound/peaks.ts",
    replace: {
      "Math.max(buckets[2 * index] as number, buckets[2 * index + 1] as number)": "buckets[2 * index] as number",
    },
    tests: peaks,
  },
  {
    name: "a level at the border of two slices counts for one",
    file: "src/audio/sound/peaks.ts",
    replace: {
      "const end = Math.ceil(((slice + 1) * levels.length) / count);":
        "const end = Math.floor(((slice + 1) * levels.length) / count);",
    },
    tests: peaks,
  },
  {
    name: "the silence at both ends of a silent file adds up to twice its duration",
    file: "src/audio/sound/sound-meter.ts",
    replace: {
      "trailingSilenceMs: isSilent ? 0 : msOf(this.#frames - this.#soundTo)":
        "trailingSilenceMs: msOf(this.#frames - this.#soundTo)",
    },
    tests: peaks,
  },
  {
    name: "negative samples are silent",
    file: "src/audio/sound/sound-meter.ts",
    replace: {
      "const sample = Math.abs(samples[at + channel] as number);": "const sample = samples[at + channel] as number;",
    },
    tests: peaks,
  },
  {
    name: "a tag keeps characters that change the order of the text",
    file: "src/audio/sound/tags.ts",
    replace: { "\\u202a-\\u202e": "" },
    tests: tags,
  },
  {
    name: "an artist is cut at a slash",
    file: "src/audio/sound/tags.ts",
    replace: { "wholeArtist(native) ?? common.artist": "common.artist ?? wholeArtist(native)" },
    tests: tags,
  },
  {
    name: "a cover has the type that its tag claims",
    file: "src/audio/sound/tags.ts",
    replace: {
      "const found = (await fileTypeFromBuffer(picture.data))?.mime; const mimeType = coverTypes.find((type) => type === found);":
        "const mimeType = coverTypes.find((type) => type === picture.format);",
    },
    tests: tags,
  },
  {
    name: "tags that cannot be read fail the upload",
    file: "src/audio/sound/tag-reader.ts",
    replace: { "return noTags;": "throw error;" },
    tests: tags,
  },
  {
    name: "the end of the sound is not encoded",
    file: "src/audio/worker/mp3-writer.ts",
    replace: { "check(this.#encoder.sendFrameSync(null)); this.#writePackets();": "" },
    tests: processor,
  },
  {
    name: "frames of another sample rate are passed on unconverted",
    file: "src/audio/worker/filter-graph.ts",
    replace: { "one.sampleRate === other.sampleRate &&": "" },
    tests: processor,
  },
  {
    name: "a crash makes a file impossible",
    file: "src/audio/worker/processor.ts",
    replace: { "if (error instanceof LimitExceededError && error.isCertain) {": "if (error instanceof Error) {" },
    tests: processor,
  },
  {
    name: "files of an attempt that fails are kept",
    file: "src/audio/worker/processor.ts",
    replace: { "await discardResult(files, result, logger); throw error;": "throw error;" },
    tests: processor,
  },
  {
    name: "a job that was aborted at its end is completed",
    file: "src/audio/worker/processor.ts",
    replace: { "signal.throwIfAborted();": "" },
    tests: processor,
  },
  {
    name: "the longest sound is decoded to its end",
    file: "src/audio/sound/sound-meter.ts",
    replace: { "if (this.durationMs > this.#maxDurationMs) {": "if (this.durationMs > 2 * this.#maxDurationMs) {" },
    tests: peaks,
  },
  {
    name: "headers may claim any number of channels",
    file: "src/audio/worker/native-decoding.ts",
    replace: { "requirePlausible(codecpar);": "" },
    tests: hostile,
  },
  {
    name: "the program guesses the format, and opens what the file names",
    file: "src/audio/worker/program-decoding.ts",
    replace: {
      'const input = [...allowed, "-f", demuxers[mimeType], "-i", `file:${path}`];':
        'void [allowed, demuxers, mimeType]; const input = ["-protocol_whitelist", "file,pipe,http,tcp", "-i", path];',
    },
    tests: hostile,
  },
  {
    name: "a program that was killed makes a file impossible",
    file: "src/audio/worker/program-decoding.ts",
    replace: { "if (signal !== null) throw new Error(`ffmpeg ended unexpectedly (${signal}).`);": "" },
    tests: hostile,
  },
  {
    name: "the libraries guess the format, and open what the file names",
    file: "src/audio/worker/native-decoding.ts",
    replace: {
      "InputFormat.findInputFormat(demuxers[mimeType])": "(void [demuxers, InputFormat], null)",
    },
    tests: hostile,
  },
];
