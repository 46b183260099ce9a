import { writeFileSync } from "node:fs";
import { printSchema } from "graphql";
import { schema } from "../composition.ts";
import { UserError } from "../errors.ts";

/** Prints the schema, or writes it to a file: what schema.graphql holds. */
export function printSchemaCommand([file, ...rest]: string[]): void {
  if (rest.length > 0) throw new UserError("Say `schema`, or `schema FILE`.");
  const text = `${printSchema(schema)}\n`;
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text);
}
