import { ApplicationError, badInput } from "../../../src/errors.ts";
import type { FileStore, StagedFile } from "../../../src/storage/file-store.ts";
import type { UnitOfWork } from "../../../src/unit-of-work/unit-of-work.ts";
import type { Viewer } from "../../../src/viewer.ts";
import type { SketchRepository } from "./sketch.repository.ts";
import type { SketchRow } from "./sketch.table.ts";

export type SketchServiceParts = {
  uow: Pick<UnitOfWork, "prepare"> & { sketches: SketchRepository };
  files: Pick<FileStore, "keep" | "touch" | "remove">;
  viewer: Viewer;
  longestName: number;
};

export class SketchService {
  readonly #parts: SketchServiceParts;

  constructor(parts: SketchServiceParts) {
    this.#parts = parts;
  }

  async create({ name, file }: { name: string; file: StagedFile }): Promise<SketchRow> {
    const { uow, files, longestName } = this.#parts;
    const viewer = this.#requireViewer();
    if (name.length > longestName) throw badInput(["input", "name"], `A name has at most ${longestName} characters.`);
    const storageKey = await uow.prepare(
      `keep ${file.id}`,
      () => files.keep(file),
      (key) => files.remove(key),
    );
    const { sizeBytes, sha256 } = file;
    const sketch = { ownerId: viewer.id, name, storageKey, sizeBytes: BigInt(sizeBytes), sha256 };
    const created = await uow.sketches.create(sketch);
    await files.touch(storageKey);
    return created;
  }

  async delete(id: string): Promise<void> {
    const isGone = await this.#parts.uow.sketches.delete(id, this.#requireViewer().id);
    if (!isGone) throw new ApplicationError("NOT_FOUND", "There is no such sketch.", { inputPath: ["id"] });
  }

  #requireViewer(): NonNullable<Viewer> {
    const { viewer } = this.#parts;
    if (!viewer) throw new ApplicationError("UNAUTHENTICATED", "Sign in first.");
    return viewer;
  }
}
