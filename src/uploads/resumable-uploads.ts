import type { StagedFile } from "../storage/file-store.ts";
import type { Viewer } from "../viewer.ts";
export class ResumableUploads {
  async stage(_uploadId: string, _viewer: NonNullable<Viewer>): Promise<StagedFile> {
    throw new Error("TEMPORARY");
  }
  async remove(_uploadId: string, _viewer: NonNullable<Viewer>): Promise<void> {}
}
