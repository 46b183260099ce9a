/** Which audio may be a track, and which may be deleted. */
import type { AudioRow, PlaylistRow } from "../database/generated/tables.ts";
import { ApplicationError } from "../errors.ts";
import type { UsedAudio } from "./playlist.repository.ts";

/** @throws ApplicationError NOT_FOUND for the first id that is none of an audio */
export function requireAudio(ids: readonly string[], found: readonly UsedAudio[]): void {
  const known = new Set(found.map(({ id }) => id));
  const index = ids.findIndex((id) => !known.has(id));
  if (index < 0) return;
  throw new ApplicationError("NOT_FOUND", `There is no audio with the id at index ${index}: leave it out.`, {
    inputPath: ["input", "audioIds"],
    audio: { __typename: "Audio", id: ids[index] },
  });
}

/** @throws ApplicationError INVALID_STATE for the first audio that is not COMPLETED */
export function requirePlayable(audio: readonly UsedAudio[], field: "audioIds" | "id"): void {
  const unready = audio.find(({ status }) => status !== "COMPLETED");
  if (!unready) return;
  const { id, title, status } = unready;
  const advice =
    status === "FAILED"
      ? "replace its file, or use another one"
      : "use it when it is COMPLETED, of which `audioChanged` tells";
  throw new ApplicationError("INVALID_STATE", `The audio ${JSON.stringify(title)} is ${status}: ${advice}.`, {
    inputPath: ["input", field],
    audio: { __typename: "Audio", id, title, status },
  });
}

const mostNames = 3;

/** @throws ApplicationError INVALID_STATE that names the playlists with the audio, which is to be deleted */
export function requireNoPlaylists({ title }: AudioRow, playlists: readonly PlaylistRow[]): void {
  if (playlists.length === 0) return;
  const shown = playlists.slice(0, mostNames);
  const more = playlists.length - shown.length;
  const names = [...shown.map(({ name }) => JSON.stringify(name)), ...(more > 0 ? [`${more} more`] : [])];
  const list = new Intl.ListFormat("en-GB").format(names);
  throw new ApplicationError(
    "INVALID_STATE",
    `The audio ${JSON.stringify(title)} is in the ${playlists.length === 1 ? "playlist" : "playlists"} ${list}: remove it there, or delete it with \`removeFromPlaylists\`.`,
    {
      inputPath: ["input", "id"],
      playlists: shown.map(({ id, name }) => ({ __typename: "Playlist", id, name })),
    },
  );
}
