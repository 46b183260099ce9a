/** Runs on a thread of the server. */
import type { AudioFormat } from "./format.ts";
import { readTagsOf, type Tags } from "./tags.ts";

export default ({ path, mimeType }: { path: string; mimeType: AudioFormat }): Promise<Tags> =>
  readTagsOf(path, mimeType);
