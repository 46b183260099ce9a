/** The arrows between the parts of src (DESIGN.md §3): who may import whom. A rule without a check decays. */
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";
import { parse, type Token } from "acorn";
import { describe, expect, it } from "vitest";
import { tables } from "../src/database/generated/tables.ts";

const source = join(import.meta.dirname, "../src");

/**
 * The rooms of src from the ground up: each imports only from itself and from those before it. Files at the top of src
 * are rooms of their own; `slices` stands for the folders of all slices.
 */
const rooms = [
  "type-names.ts",
  "errors.ts",
  "logger.ts",
  "viewer.ts",
  "short-text.ts",
  "settings.ts",
  "unhandled-errors.ts",
  "eager-loading",
  "database",
  "unit-of-work",
  "postgres",
  "search",
  "outbox",
  "storage",
  "downloads",
  "processing",
  "graphql",
  "labels",
  "operations",
  "uploads",
  "server",
  "slice.ts",
  "slices",
  "slices.ts",
  "composition.ts",
  "config.ts",
  "resources.ts",
  "housekeeping.ts",
  "integrity.ts",
  "worker-process.ts",
  "application.ts",
  "sample-library.ts",
  "commands",
  "main.ts",
];

/** Types and tables of the data model, which every room may know. */
const isGenerated = (path: string) => path.startsWith("database/generated/");

type Import = { from: string; specifier: string; target: string | null; isTypeOnly: boolean };
type SourceFile = { path: string; text: string; code: string; imports: Import[] };

const files: SourceFile[] = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => relative(source, join(entry.parentPath, entry.name)))
  .filter((path) => !isGenerated(path))
  .sort()
  .map(readSource);

function readSource(path: string): SourceFile {
  const text = readFileSync(join(source, path), "utf8");
  const code = text.replace(/\/\*[\s\S]*?\*\/|(?<![:"'`])\/\/.*$/gm, "");
  const imports: Import[] = [];
  const statements = /^(?:import|export)\b(?<what>[^;"']*?)\bfrom\s*"(?<from>[^"]+)"|^import\s*"(?<bare>[^"]+)"/gm;
  for (const { groups } of code.matchAll(statements)) {
    const specifier = groups?.from ?? groups?.bare ?? "";
    imports.push({ from: path, specifier, target: targetOf(path, specifier), isTypeOnly: isOnlyTypes(groups?.what) });
  }
  for (const [, kind, specifier = ""] of code.matchAll(/(typeof )?\bimport\(\s*"([^"]+)"\s*\)/g)) {
    imports.push({ from: path, specifier, target: targetOf(path, specifier), isTypeOnly: kind !== undefined });
  }
  return { path, text, code, imports };
}

function targetOf(path: string, specifier: string): string | null {
  return specifier.startsWith(".") ? join(dirname(path), specifier) : null;
}

/** `import type …`, or braces in which every name is a `type`. */
function isOnlyTypes(what = ""): boolean {
  if (/^\s+type\b/.test(what)) return true;
  const names = /^\s*\{([^}]*)\}\s*$/
    .exec(what)?.[1]
    ?.split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  return names?.every((name) => name.startsWith("type ")) ?? false;
}

const folderOf = (path: string) => (path.includes("/") ? (path.split("/")[0] as string) : "");
const isSlice = (path: string) => folderOf(path) !== "" && !rooms.includes(folderOf(path));
const roomOf = (path: string) => (isSlice(path) ? "slices" : folderOf(path) || path);
const isLayer = (path: string) => folderOf(path) !== "" && !isSlice(path) && folderOf(path) !== "commands";
const in_ = (...folders: string[]) => files.filter(({ path }) => folders.includes(folderOf(path)));
const named = (pattern: RegExp) => files.filter(({ path }) => pattern.test(path));
const importsOf = (chosen: SourceFile[]) => chosen.flatMap(({ imports }) => imports);

/** The imports that break a rule, as a reader would look for them. */
function breaches(imports: Import[], isForbidden: (one: Import & { target: string }) => boolean): string[] {
  return imports
    .filter((one): one is Import & { target: string } => one.target !== null && isForbidden(one as never))
    .map(({ from, specifier, isTypeOnly }) => `${from} → ${specifier}${isTypeOnly ? " (types)" : ""}`);
}

/** Names a class of pg as a value, or gives Prisma's adapter anything but a pool: then it makes one of pg's own. */
const makesConnections = new RegExp(
  [
    /(\b(new|extends)\s+|[(,=]\s*|\bClient:\s*)pg\s*\.\s*(Client|Pool|native)\b/,
    /\{[^{}]*\}\s*=\s*pg\b|\bimport\s*\{[^}]*\}\s*from\s*"pg"|"pg-(pool|native)"/,
    /\bnew\s+PrismaPg\b/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

/** Each circle as the nodes on it, found from the first of them. */
function circles(targetsOf: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const walk = (node: string, way: readonly string[]) => {
    if (way.includes(node)) return void found.push([...way.slice(way.indexOf(node)), node]);
    if (done.has(node)) return;
    for (const target of targetsOf.get(node) ?? []) walk(target, [...way, node]);
    done.add(node);
  };
  for (const node of targetsOf.keys()) walk(node, []);
  return found;
}

describe("the check itself", () => {
  it("sees the files and their imports", () => {
    expect(files.length).toBeGreaterThan(40);
    const application = files.find(({ path }) => path === "application.ts");
    const targets = application?.imports.map(({ target }) => target);
    expect(targets).toContain("server/graphql-server.ts");
    expect(files.map(({ path }) => roomOf(path)).filter((room) => !rooms.includes(room))).toEqual([]);
    expect(files.filter(({ path }) => isSlice(path)).length).toBeGreaterThan(10);
    const main = files.find(({ path }) => path === "main.ts");
    expect(main?.imports.map(({ target }) => target)).toContain("commands/start.ts");
    for (const { from, target } of importsOf(files)) {
      if (target === null || isGenerated(target)) continue;
      expect(
        files.map(({ path }) => path),
        `imported by ${from}`,
      ).toContain(target);
    }
  });

  it("tells types from values", () => {
    const kinds = { " type { A, B } ": true, " { type A, type B } ": true, " { type A, b } ": false, " x ": false };
    for (const [what, expected] of Object.entries(kinds)) expect(isOnlyTypes(what), what).toBe(expected);
  });

  it("tells who makes a client or a pool from who names its type", () => {
    const makers = [
      "const client = new pg.Client(url);",
      "const pool = new pg.Pool({ max: 1 });",
      "class Ours extends pg.Client {",
      "new Ours(config, pg.Client);",
      "const { Pool } = pg;",
      'import { Client } from "pg";',
      'import Pool from "pg-pool";',
      "new PrismaPg({ connectionString: url })",
    ];
    const others = [
      'import pg from "pg";',
      'import type { Client } from "pg";',
      "let client: pg.Client | undefined;",
      "const owned: pg.Client[] = [];",
      "async function end(client: pg.Client, pool: pg.Pool): Promise<void> {",
      "export type Question = { pool: pg.Pool; id: string };",
      "class Guarded extends PrismaPg {",
    ];
    expect(makers.filter((code) => !makesConnections.test(code))).toEqual([]);
    expect(others.filter((code) => makesConnections.test(code))).toEqual([]);
  });
});

describe("imports", () => {
  it("of eager-loading stay inside it", () => {
    expect(breaches(importsOf(in_("eager-loading")), ({ target }) => folderOf(target) !== "eager-loading")).toEqual([]);
  });

  it("go down from room to room", () => {
    const height = (path: string) => rooms.indexOf(roomOf(path));
    expect(
      breaches(importsOf(files), ({ from, target }) => !isGenerated(target) && height(target) > height(from)),
    ).toEqual([]);
  });

  it("make no circles between files, nor between slices", () => {
    const targetsOf = new Map(files.map(({ path, imports }) => [path, imports.flatMap(({ target }) => target ?? [])]));
    expect(circles(targetsOf)).toEqual([]);
    const between = new Map<string, string[]>();
    for (const { path, imports } of files.filter(({ path }) => isSlice(path))) {
      const others = imports.flatMap(({ target }) => (target && isSlice(target) ? [folderOf(target)] : []));
      between.set(folderOf(path), [
        ...(between.get(folderOf(path)) ?? []),
        ...others.filter((folder) => folder !== folderOf(path)),
      ]);
    }
    expect(circles(between)).toEqual([]);
  });

  it("of services and repositories never reach GraphQL", () => {
    const chosen = named(/\.(service|repository)\.ts$/);
    expect(chosen.length).toBeGreaterThan(3);
    const isGraphQL = ({ specifier, target }: Import) =>
      target === null
        ? /^(graphql\b|@pothos\/|@graphql-)/.test(specifier)
        : folderOf(target) === "graphql" ||
          folderOf(target) === "server" ||
          /\.(schema|mutations|subscriptions)\.ts$/.test(target);
    const found = importsOf(chosen).filter(isGraphQL);
    expect(found.map(({ from, specifier }) => `${from} → ${specifier}`)).toEqual([]);
  });

  it("of services know the database by its types only", () => {
    const found = breaches(
      importsOf(named(/\.service\.ts$/)),
      ({ target, isTypeOnly }) => folderOf(target) === "database" && !isTypeOnly,
    );
    expect(found).toEqual([]);
  });

  it("of a slice never reach another slice's repository", () => {
    const slices = files.filter(({ path }) => isSlice(path));
    const found = breaches(
      importsOf(slices),
      ({ from, target }) => /\.repository\.ts$/.test(target) && folderOf(target) !== folderOf(from),
    );
    expect(found).toEqual([]);
  });

  it("of resolvers reach services, relations and what GraphQL needs, but no repository and no connection", () => {
    const found = breaches(
      importsOf(named(/\.(schema|mutations|subscriptions)\.ts$/)),
      ({ target, isTypeOnly }) =>
        /\.repository\.ts$/.test(target) ||
        (folderOf(target) === "database" && !isTypeOnly && !target.startsWith("database/generated/prisma/enums.ts")),
    );
    expect(found).toEqual([]);
  });
});

/** Names of the slices: tables and models of the data model, and folders. The outbox has events of its own, and the store has a ledger. */
const nouns = Object.entries(tables)
  .flatMap(([model, { name }]) => [model, name])
  .concat(files.filter(({ path }) => isSlice(path)).map(({ path }) => folderOf(path)))
  .filter((name) => !/outbox|idempotency|storage.?usage|^events$/i.test(name));

describe("code", () => {
  it("of the layers names no noun of a slice in its SQL, its GraphQL and its messages", () => {
    expect(nouns).toEqual(expect.arrayContaining(["users", "sessions", "documents", "chunks", "Document"]));
    const noun = new RegExp(`\\b(${nouns.join("|")})\\b`);
    const found = files
      .filter(({ path }) => isLayer(path))
      .flatMap(({ path, code }) => {
        const texts = code.match(/`[^`]*`|"[^"\n]*"/g) ?? [];
        return texts.filter((text) => noun.test(text) && !/^"\.{1,2}\//.test(text)).map((text) => `${path}: ${text}`);
      });
    expect(found).toEqual([]);
  });

  it("of resolvers holds no SQL", () => {
    const sql =
      /\bsql`|\$queryRaw|\$executeRaw|\bselect\s+[\s\S]{1,200}?\sfrom\s|\binsert into\b|\bdelete from\b|\bupdate \w+ set\b/i;
    const found = named(/\.(schema|mutations|subscriptions)\.ts$/).filter(({ code }) =>
      sql.test(code.replace(/description:\s*"[^"]*"/g, "")),
    );
    expect(found.map(({ path }) => path)).toEqual([]);
  });

  it("reads the environment in config.ts only", () => {
    const readers = files.filter(({ code }) => /\bprocess\s*\.\s*env\b|\benv\b[^;]*from "node:process"/.test(code));
    expect(readers.map(({ path }) => path)).toEqual(["config.ts"]);
  });

  it("makes clients and pools of the database in database/client.ts only, where errors are heard", () => {
    const makers = files.filter(({ code }) => makesConnections.test(code));
    expect(makers.map(({ path }) => path)).toEqual(["database/client.ts"]);
  });

  it("loads by relations only, never by Pothos' Prisma plugin (docs/decisions/0002)", () => {
    const loading =
      /\.(relation|relatedConnection|relationCount|variant|prismaField|prismaFieldWithInput|prismaConnection)\s*\(|\b(queryFromInfo|prismaConnectionHelpers)\b/;
    for (const call of ['t.relation("owner")', "t.prismaField({", "t.relationCount (", "queryFromInfo({ info })"]) {
      expect(call).toMatch(loading);
    }
    expect(files.filter(({ code }) => loading.test(code)).map(({ path }) => path)).toEqual([]);
  });

  it("stays below 300 lines a file", () => {
    const long = files
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }))
      .filter(({ lines }) => lines > 300);
    expect(long).toEqual([]);
  });

  it("has a home that says what it is about", () => {
    const vague = /(^|\/)(utils?|helpers?|common|shared|misc|lib)(\/|\.ts$)/;
    expect(files.map(({ path }) => path).filter((path) => vague.test(path))).toEqual([]);
    const barrels = files.filter(({ path, code }) => /(^|\/)index\.ts$/.test(path) || /^export \* from/m.test(code));
    expect(barrels.map(({ path }) => path)).toEqual([]);
  });
});

/** Words of sentences that have to be read twice. CONTRIBUTING.md has the rules and the terms. */
const unplain = [
  // The subject is a thing in the code.
  /(?:^|[.!?:;] |@(?:returns|throws) )(?:What|Who|Whom|Whoever|Whose|Whatever|Of (?:that|what|these|those|them|its?|an?|the)|By which|To whom)\b/,
  /^(?:what|who|whom|whoever|whose|whatever)\b/,
  /\b(?:by now|so as to|dear(?:er)?|whoever|whomever|for want of|made ready|ready to leave|is to blame|struck out|comes? about)\b/i,
  /\bas many\b[^.]*\b(?:as so many|as may)\b|\bfor so long\b|\b(?:so many|so much|so long) at (?:most|least)\b/i,
  /\b(?:of (?:ours|theirs|yours)|(?:person|people) at the keyboard)\b/i,
  // These have a term: index, offset, position, path, slot, attempt, retry.
  /\bplaces?\b/i,
  /\b(?:tries|(?:an|another|each|every|first|last|one|this) try|tried again)\b/i,
];
const isUnplain = (text: string) => unplain.some((pattern) => pattern.test(text));

/** Comments with their lines joined, and the texts of all strings. */
function textsOf({ path, text }: SourceFile): string[] {
  const tokens: Token[] = [];
  // Types are blanked, comments among them; everything else stays at its position.
  parse(stripTypeScriptTypes(text), { ecmaVersion: "latest", sourceType: "module", onToken: tokens });
  const literals = tokens.filter(({ type: { label } }) => ["string", "template", "regexp"].includes(label));
  let withoutLiterals = text;
  for (const { start, end } of literals) {
    withoutLiterals = withoutLiterals.slice(0, start) + "_".repeat(end - start) + withoutLiterals.slice(end);
  }
  const comments = withoutLiterals.match(/\/\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n)+|\/\/.*/gm) ?? [];
  if (/\S/.test(text) && comments.length + literals.length === 0) throw new Error(`${path} has no texts.`);
  return [
    ...comments.flatMap((comment) => comment.split(/\n\s*\*\s*\n/).map(joined)),
    ...literals
      .filter(({ type }) => type.label !== "regexp")
      .map(({ start, end }) => text.slice(start, end).replace(/^["']|["']$/g, "")),
  ];
}

/** A paragraph of a comment as one line. */
const joined = (paragraph: string) =>
  paragraph
    .replace(/^\s*(?:\/\*\*?|\*\/|\*(?!\/)|\/\/)|\*\/\s*$/gm, "")
    .replace(/\s+/g, " ")
    .trim();

describe("words", () => {
  it("are checked by patterns that find sentences to be read twice, and no others", () => {
    const unclear = [
      "What marks a match until the text around it has been escaped.",
      "Takes the key. Whoever comes with the same key meanwhile waits.",
      "Ends the attempt: Who comes later finds nothing.",
      "Of what is UTF-8 already, no string is made.",
      "what was prepared could not be discarded",
      "By which the database can be asked later.",
      "Past the index they are dear.",
      "The document is at version 3 by now.",
      "Errors are made ready to leave.",
      "No connection is free, and as many transactions wait for one as may.",
      "As many bytes at once as so many of the largest files have.",
      "A client that asks for nothing for so long does not read.",
      "The claims of a token of ours.",
      "Jobs that fill the places.",
      "One try of a unit of work.",
      "the unit of work is tried again",
    ];
    const plain = [
      "Returns what the query selects.",
      "The header says who sent it; of the rest nothing is kept.",
      "Placeholders for marks, replaced after HTML escaping.",
      "Retry in a moment; each retry is an attempt.",
      "The queue holds as many jobs as there are slots.",
      "An offset, a position and an index.",
      "Most of the time, the cost of a statement is its round trip.",
    ];
    expect(unclear.filter((text) => !isUnplain(text))).toEqual([]);
    expect(plain.filter(isUnplain)).toEqual([]);
  });

  it("are found in comments and strings of every kind", () => {
    const text = [
      "/**",
      " * First",
      " * paragraph.",
      " *",
      " * Second.",
      " */",
      "type Row = {",
      "  /** In a type. */",
      "  id: string;",
      "};",
      "// Two",
      "// lines.",
      "const url = `https://$" + "{host}/path`; // At the end.",
      'const pattern = /[/*"\']/; const message = "Not // a comment.";',
      "",
    ].join("\n");
    const found = textsOf({ path: "", text, code: text, imports: [] });
    expect(found).toEqual([
      "First paragraph.",
      "Second.",
      "In a type.",
      "Two lines.",
      "At the end.",
      "https://",
      "/path",
      "Not // a comment.",
    ]);
  });

  it("of comments, descriptions and messages are plain", () => {
    const found = files.flatMap((file) =>
      textsOf(file)
        .filter(isUnplain)
        .map((text) => `${file.path}: ${text}`),
    );
    expect(found).toEqual([]);
  });
});
