/** The table of sketches, as a migration would make it and as `prisma/tables-generator.ts` would describe it. */
import type { WorkStatus } from "../../../src/database/generated/prisma/enums.ts";
import type { Table } from "../../../src/eager-loading/table.ts";

export type SketchRow = {
  id: string;
  ownerId: string;
  name: string;
  version: number;
  sizeBytes: bigint;
  sha256: string;
  status: WorkStatus;
  failure: string | null;
  lines: number | null;
  createdAt: Date;
};

export const sketchTable: Table<SketchRow, SketchRow & { storageKey: string }> = {
  name: "sketches",
  primaryKey: "id",
  columns: {
    id: { name: "id", type: "uuid", isNullable: false },
    ownerId: { name: "owner_id", type: "uuid", isNullable: false },
    name: { name: "name", type: "text", isNullable: false },
    version: { name: "version", type: "integer", isNullable: false },
    storageKey: { name: "storage_key", type: "text", isNullable: false, isOmitted: true },
    sizeBytes: { name: "size_bytes", type: "bigint", isNullable: false },
    sha256: { name: "sha256", type: "text", isNullable: false },
    status: { name: "status", type: '"work_status"', isNullable: false },
    failure: { name: "failure", type: "text", isNullable: true },
    lines: { name: "lines", type: "integer", isNullable: true },
    createdAt: { name: "created_at", type: "timestamptz", isNullable: false },
  },
};

export const sketchMigration = `
  create table sketches (
    id uuid primary key default uuid_v7(),
    owner_id uuid not null references users(id) on delete cascade,
    name text not null,
    version integer not null default 1,
    storage_key text not null unique,
    size_bytes bigint not null,
    sha256 text not null,
    lines integer,
    status work_status not null default 'PENDING',
    failure text,
    attempts integer not null default 0,
    progress double precision not null default 0,
    claimed_by text,
    claim_token uuid,
    lease_until timestamptz(3),
    next_attempt_at timestamptz(3) not null default current_timestamp,
    created_at timestamptz(3) not null default current_timestamp,
    updated_at timestamptz(3) not null default current_timestamp,
    processed_at timestamptz(3)
  );
  create index on sketches (owner_id, created_at, id);
  create trigger sketches_version before update on sketches for each row execute function raise_version();

  select count_files('sketches', 'storage_key', 'size_bytes');
  select make_queue('sketches', 'sketch', array['storage_key']);
  select record_changes('sketches', 'sketch', array['owner_id', 'version', 'status', 'storage_key'],
    array['name', 'status', 'storage_key']);

  create function complete_sketch(sketch uuid, claim uuid, lines integer) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
  declare
    checked text := check_sketch_claim(sketch, claim);
  begin
    if checked <> 'HELD' then
      return checked = 'DONE';
    end if;
    update sketches s set status = 'COMPLETED', lines = complete_sketch.lines where s.id = sketch;
    return true;
  end
  $$;

  create function grant_sketch_rights() returns void language sql as $$
    grant select, insert, delete, update (name, status, storage_key, size_bytes, sha256) on sketches to lectern_server;
    grant execute on function complete_sketch(uuid, uuid, integer) to lectern_worker;
  $$;
`;
