/**
 * A Prisma generator of `src/database/generated/tables.ts`: descriptions of all tables, from which the eager-loading
 * engine builds SQL, and foreign keys, from which fields of the GraphQL schema take their keys.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import generatorHelper, { type DMMF } from "@prisma/generator-helper";

const sqlTypes: Record<string, string> = {
  String: "text",
  Int: "integer",
  BigInt: "bigint",
  Float: "double precision",
  Boolean: "boolean",
  DateTime: "timestamptz",
  Json: "jsonb",
  Bytes: "bytea",
};
const nativeTypes: Record<string, string> = { Uuid: "uuid", Timestamptz: "timestamptz", Text: "text" };

generatorHelper.generatorHandler({
  onManifest: () => ({ prettyName: "tables", defaultOutput: "." }),
  async onGenerate({ dmmf, generator }) {
    const enums = new Map(dmmf.datamodel.enums.map(({ name, dbName }) => [name, dbName ?? name]));
    const models = dmmf.datamodel.models;
    const lines = [
      "// Generated from prisma/schema.prisma by prisma/tables-generator.ts. Do not edit.",
      'import type { Table } from "../../eager-loading/table.ts";',
      `import type { ${models.map(({ name }) => name).join(", ")} } from "./prisma/client.ts";`,
      "",
      ...models.flatMap((model) => rowType(model)),
      "",
      "/** The rows that relations and repositories read, by model. */",
      `export type Rows = { ${models.map(({ name }) => `${name}: ${name}Row`).join("; ")} };`,
      "",
      "export const tables = {",
      ...models.flatMap((model) => table(model, enums)),
      "};",
      "",
      "/** By model, the columns that hold keys of another one's rows: of which model, in which of its columns. */",
      "export const foreignKeys = {",
      ...models.map((model) => `  ${model.name}: { ${foreignKeysOf(model).join(", ")} },`),
      "} as const;",
      "",
      "/** What repositories leave out, too: Prisma's global `omit`. */",
      "export const omittedColumns = {",
      ...models.flatMap((model) => {
        const omitted = columnsOf(model).filter(isOmitted);
        if (omitted.length === 0) return [];
        return [`  ${lowerFirst(model.name)}: { ${omitted.map(({ name }) => `${name}: true`).join(", ")} },`];
      }),
      "} as const;",
      "",
    ];
    writeFileSync(join(generator.output?.value ?? ".", "tables.ts"), lines.join("\n"));
  },
});

const lowerFirst = (name: string) => name[0]?.toLowerCase() + name.slice(1);
const isOmitted = (field: DMMF.Field) => field.documentation?.includes("@omit") ?? false;
const columnsOf = (model: DMMF.Model) => model.fields.filter(({ kind }) => kind === "scalar" || kind === "enum");

function rowType(model: DMMF.Model): string[] {
  const omitted = columnsOf(model).filter(isOmitted);
  const names = omitted.map(({ name }) => `"${name}"`).join(" | ");
  return [`export type ${model.name}Row = ${omitted.length === 0 ? model.name : `Omit<${model.name}, ${names}>`};`];
}

function foreignKeysOf(model: DMMF.Model): string[] {
  return model.fields.flatMap(({ type, relationFromFields, relationToFields }) => {
    const [from, to] = [relationFromFields?.[0], relationToFields?.[0]];
    // Relations compare one column only.
    if (from === undefined || to === undefined || relationFromFields?.length !== 1) return [];
    return [`${from}: { model: "${type}", column: "${to}" }`];
  });
}

function table(model: DMMF.Model, enums: Map<string, string>): string[] {
  return [
    `  ${model.name}: {`,
    `    name: "${model.dbName ?? model.name}",`,
    // A view has no primary key, but a unique column.
    `    primaryKey: "${model.fields.find(({ isId, isUnique }) => isId || isUnique)?.name}",`,
    "    columns: {",
    ...columnsOf(model).map((field) => {
      const type = nativeTypes[field.nativeType?.[0] ?? ""] ?? sqlTypes[field.type] ?? `"${enums.get(field.type)}"`;
      const parts = [
        `name: "${field.dbName ?? field.name}"`,
        `type: ${JSON.stringify(field.isList ? `${type}[]` : type)}`,
        `isNullable: ${!field.isRequired}`,
        ...(isOmitted(field) ? ["isOmitted: true"] : []),
      ];
      return `      ${field.name}: { ${parts.join(", ")} },`;
    }),
    "    },",
    `  } satisfies Table<${model.name}Row, ${model.name}> as Table<${model.name}Row, ${model.name}>,`,
  ];
}
