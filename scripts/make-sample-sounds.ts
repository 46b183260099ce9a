/**
 * Makes the sounds of the sample library, prisma/sample-library/*.mp3 and *.m4a: two melodies of computed tones, and a
 * line that espeak-ng speaks. Nobody has recorded them, so anybody may copy them.
 *
 *   node scripts/make-sample-sounds.ts
 *
 * Run by hand after a change of this file; the sounds are committed. It needs espeak-ng and ffmpeg (Debian:
 * `apt-get install espeak-ng ffmpeg`). The same versions of both make the same bytes.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../prisma/sample-library");
const musicRate = 44_100;

/** Samples from -1 to 1 of one channel. */
type Sound = { samples: Float32Array<ArrayBuffer>; sampleRate: number };
/** `pitch` in semitones above A4 (440 Hz), times in seconds. */
type Note = { pitch: number; start: number; lasts: number };
/** Part of a tone: its frequency as a multiple of the note's, and how loud it is. */
type Overtone = { multiple: number; level: number };

const string: Overtone[] = [1, 2, 3, 4].map((multiple) => ({ multiple, level: 1 / multiple ** 2 }));
/** Those of a bell are no multiples of its lowest tone. */
const bell: Overtone[] = [
  { multiple: 1, level: 1 },
  { multiple: 2, level: 0.4 },
  { multiple: 2.76, level: 0.25 },
  { multiple: 5.4, level: 0.08 },
];

/** Chords of C major, each broken into eight notes, and the first one again as an end. */
function brokenChords(): Sound {
  const chords = [
    [-9, -5, -2, 3],
    [-12, -9, -5, 0],
    [-16, -12, -9, -4],
    [-14, -10, -7, -2],
  ];
  const between = 0.2;
  const notes = chords.flatMap((chord, bar) =>
    [0, 1, 2, 3, 2, 3, 2, 1].map((index, place) => ({
      pitch: chord[index] as number,
      start: (8 * bar + place) * between,
      lasts: 0.9,
    })),
  );
  const end = [-21, -9, -5, -2, 3].map((pitch) => ({ pitch, start: 32 * between, lasts: 1.4 }));
  return played([...notes, ...end], string);
}

function slowBells(): Sound {
  const pitches = [3, 0, -2, -5, -2, 0, 3, 7];
  return played(
    pitches.map((pitch, index) => ({ pitch, start: 0.65 * index, lasts: 2.4 })),
    bell,
  );
}

/** Each note begins at once and fades away. */
function played(notes: readonly Note[], overtones: readonly Overtone[]): Sound {
  const seconds = Math.max(...notes.map(({ start, lasts }) => start + lasts));
  const samples = new Float32Array(Math.ceil(seconds * musicRate));
  for (const { pitch, start, lasts } of notes) {
    const frequency = 440 * 2 ** (pitch / 12);
    const first = Math.round(start * musicRate);
    const count = Math.floor(lasts * musicRate);
    for (let index = 0; index < count; index++) {
      const time = index / musicRate;
      // Five milliseconds up, so that nothing clicks, and down to nothing at the end.
      const envelope = Math.min(1, time / 0.005) * Math.exp((-4 * time) / lasts) * (1 - time / lasts);
      let level = 0;
      for (const { multiple, level: share } of overtones) {
        level += share * Math.sin(2 * Math.PI * frequency * multiple * time);
      }
      samples[first + index] = (samples[first + index] as number) + envelope * level;
    }
  }
  return { samples: withPeak(samples, 0.7), sampleRate: musicRate };
}

function spoken(text: string): Sound {
  const wave = execFileSync("espeak-ng", ["-v", "en", "-s", "150", "--stdout", text]);
  const data = wave.indexOf("data") + 8;
  const samples = Float32Array.from(
    { length: Math.floor((wave.length - data) / 2) },
    (_, index) => wave.readInt16LE(data + 2 * index) / 32_768,
  );
  return { samples: withPeak(samples, 0.7), sampleRate: wave.readUInt32LE(24) };
}

function withPeak(samples: Float32Array<ArrayBuffer>, peak: number): Float32Array<ArrayBuffer> {
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return samples.map((sample) => (sample * peak) / loudest);
}

type Format = { bitrate: string; title: string };

/** The ending of the name decides the encoder. */
function write(name: string, sound: Sound, { bitrate, title }: Format): void {
  const tags = Object.entries({ title, artist: "Lectern", album: "Sample Library" });
  const parameters = [
    ...["-loglevel", "error", "-y", "-f", "f32le", "-ar", String(sound.sampleRate), "-ac", "1", "-i", "pipe:0"],
    ...["-b:a", bitrate, ...tags.flatMap(([tag, value]) => ["-metadata", `${tag}=${value}`])],
    // Neither a time nor the encoder's version.
    ...["-fflags", "+bitexact", "-flags:a", "+bitexact", "-movflags", "+faststart", join(folder, name)],
  ];
  execFileSync("ffmpeg", parameters, { input: Buffer.from(sound.samples.buffer) });
}

write("broken-chords.mp3", brokenChords(), { bitrate: "48k", title: "Broken Chords" });
write("slow-bells.m4a", slowBells(), { bitrate: "48k", title: "Slow Bells" });
write(
  "welcome.mp3",
  spoken("Welcome to Lectern, a library of texts and sounds. Nobody has recorded this line: a program speaks it."),
  { bitrate: "32k", title: "Welcome to Lectern" },
);
