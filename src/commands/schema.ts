import { writeFileSync } from "node:fs";
import { printSchema } from "graphql";
import { UserError } from "../errors.ts";
import { buildSchema } from "../graphql/schema.ts";
import { slices } from "../slices.ts";

/** Prints the schema, or writes it to a file, such as schema.graphql. */
export async function printSchemaCommand([file, ...rest]: string[]): Promise<void> {
  if (rest.length > 0) throw new UserError("Say `schema`, or `schema FILE`.");
  const text = `${printSchema(await buildSchema(slices))}\n`;
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text);
}
