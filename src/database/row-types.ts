import pg from "pg";

const bigintType = 20;

/** Rows hold what Prisma's model types say: bigint for int8, Date for timestamptz, numbers for floats. */
export const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: ((type: number, format?: "text" | "binary") =>
    type === bigintType ? BigInt : pg.types.getTypeParser(type, format)) as pg.CustomTypesConfig["getTypeParser"],
};
