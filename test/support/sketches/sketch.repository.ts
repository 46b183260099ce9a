import { selectList, sql } from "../../../src/eager-loading/sql.ts";
import type { UnitOfWork } from "../../../src/unit-of-work/unit-of-work.ts";
import { type SketchRow, sketchTable } from "./sketch.table.ts";

export type NewSketch = { ownerId: string; name: string; storageKey: string; sizeBytes: bigint; sha256: string };

export interface SketchRepository {
  create(sketch: NewSketch): Promise<SketchRow>;
  /** Whether there was one of this owner. */
  delete(id: string, ownerId: string): Promise<boolean>;
}

export function sketchRepository(uow: UnitOfWork): SketchRepository {
  return {
    async create({ ownerId, name, storageKey, sizeBytes, sha256 }) {
      const [created] = await uow.write(sql`
        insert into sketches as t (owner_id, name, storage_key, size_bytes, sha256)
        values (${ownerId}::uuid, ${name}, ${storageKey}, ${sizeBytes}, ${sha256})
        returning ${selectList(sketchTable, "t")}`);
      return created as SketchRow;
    },
    async delete(id, ownerId) {
      const gone = await uow.write(sql`
        delete from sketches where id = ${id}::uuid and owner_id = ${ownerId}::uuid returning id`);
      return gone.length > 0;
    },
  };
}
