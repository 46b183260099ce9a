import { printSchema } from "graphql";
import { schema } from "../composition.ts";

/** What schema.graphql holds: `node src/main.ts schema > schema.graphql`. */
export function printSchemaCommand(): void {
  process.stdout.write(`${printSchema(schema)}\n`);
}
