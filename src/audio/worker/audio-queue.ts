/** The queue of audio: its jobs and their results. */
import type { QueueDefinition } from "../../processing/sql-queue.ts";
import type { AudioJob, AudioResult } from "./sound-job.ts";

type ClaimedRow = { mime_type: AudioJob["mimeType"]; storage_key: string };

export const audioQueue: QueueDefinition<AudioJob, AudioResult> = {
  table: "audio",
  noun: "audio",
  jobOf(row) {
    const { mime_type: mimeType, storage_key: storageKey } = row as ClaimedRow;
    return { mimeType, storageKey };
  },
  completion: {
    placeholders: "$3::jsonb, $4::jsonb, $5::jsonb",
    valuesOf: ({ sound: { peaks, ...sound }, file, cover }) => [
      JSON.stringify({ ...sound, peaks: Buffer.from(peaks).toString("base64") }),
      file && JSON.stringify(file),
      cover && JSON.stringify(cover),
    ],
  },
};
