/** The download of a channel: an M3U playlist of the tracks from the one that plays now to the end of the schedule. */
import { createHash } from "node:crypto";
import { fileUrl } from "../audio/audio.downloads.ts";
import type { AudioRow } from "../database/generated/tables.ts";
import type { Download, FileAddress } from "../downloads/download.ts";
import { sql } from "../eager-loading/sql.ts";
import { m3uMimeType, m3uOf } from "./m3u.ts";

const nameOf = (channel: string) => `${channel}.m3u8`;

/** A channel has no row, and its name may hold any characters, so the id in the address is the encoded name. */
export const channelUrl = (of: FileAddress, channel: string) =>
  of(channelDownload.kind, Buffer.from(channel).toString("base64url"), nameOf(channel));

export const channelDownload: Download = {
  kind: "channel",
  async find(id, _viewer, reader, fileAddress) {
    const channel = Buffer.from(id, "base64url").toString();
    const rows = (await reader.read(sql`
      select a.id, a.sha256, a.filename, a.title, a.artist, t.duration_ms as "durationMs"
      from now_playing n
      join playlist_tracks c on c.id = n.track_id
      join playlist_tracks t on t.playlist_id = c.playlist_id and t.rank >= c.rank
      join audio a on a.id = t.audio_id
      where n.channel = ${channel} order by t.rank`)) as Found[];
    const bytes = Buffer.from(m3uOf(rows.map((row) => ({ ...row, address: fileUrl(fileAddress, row) }))));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const file = { name: nameOf(channel), mimeType: m3uMimeType, disposition: "inline", isLive: true } as const;
    return { ...file, sha256, sizeBytes: bytes.length, bytes };
  },
};

type Found = Pick<AudioRow, "id" | "sha256" | "filename" | "title" | "artist"> & { durationMs: number };
