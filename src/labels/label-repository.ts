/** Writes the labels of one table. */
import { assignments, columnsAndValues } from "../database/columns.ts";
import { isLimitReached, isUniqueViolation } from "../database/sql-errors.ts";
import { identifier, raw, type Sql, selectList, sql } from "../eager-loading/sql.ts";
import type { Table } from "../eager-loading/table.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";

export type LabelRow = { id: string; name: string; version: number };

/** @template Details the columns that the table's labels have in addition to their name */
export interface LabelRepository<Row extends LabelRow, Details extends object = object> {
  /** @throws NameTakenError, LimitReachedError */
  create(label: { name: string } & Details): Promise<Row>;
  /** The label with this name, without regard to case and accents. */
  findByName(name: string): Promise<Row | null>;
  /** Locks the label until the unit of work ends. Returns null if it does not exist. */
  lock(id: string): Promise<Row | null>;
  /** @throws NameTakenError */
  update(id: string, changes: Partial<{ name: string } & Details>): Promise<Row>;
  delete(id: string): Promise<void>;
}

/** Another transaction has just given the name to another label. */
export class NameTakenError extends Error {
  override name = "NameTakenError";
}

/** The table holds as many labels as it may. */
export class LimitReachedError extends Error {
  override name = "LimitReachedError";
}

export function labelRepository<Row extends LabelRow, AllColumns, Details extends object = object>(
  uow: Pick<UnitOfWork, "write">,
  table: Table<Row, AllColumns>,
): LabelRepository<Row, Details> {
  const target = raw(identifier(table.name));
  const returned = selectList(table, "t");
  const write = async (statement: Sql) => ((await uow.write(statement)) as Row[])[0] ?? null;
  const save = (statement: Sql) => write(statement).catch(refuse) as Promise<Row>;
  return {
    create: (label) => save(sql`insert into ${target} as t ${columnsAndValues(table, label)} returning ${returned}`),

    findByName: (name) => write(sql`select ${returned} from ${target} t where t.name_folded = fold(${name})`),

    lock: (id) => write(sql`select ${returned} from ${target} t where t.id = ${id}::uuid for update`),

    update: (id, changes) =>
      save(sql`update ${target} t set ${assignments(table, changes)} where t.id = ${id}::uuid returning ${returned}`),

    async delete(id) {
      await write(sql`delete from ${target} where id = ${id}::uuid`);
    },
  };
}

function refuse(error: unknown): never {
  if (isUniqueViolation(error)) throw new NameTakenError("The name is in use.", { cause: error });
  if (isLimitReached(error)) throw new LimitReachedError("The table is full.", { cause: error });
  throw error;
}
