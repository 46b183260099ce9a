import pg from "pg";

const bigintType = 20;

/** Parses values into the types of Prisma's models: bigint for int8, Date for timestamptz, numbers for floats. */
export const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: ((type: number, format?: "text" | "binary") =>
    type === bigintType ? BigInt : pg.types.getTypeParser(type, format)) as pg.CustomTypesConfig["getTypeParser"],
};
