/**
 * Fails if a regular expression in src takes more than linear time for some input, with which a client could block the
 * server. The check is done by recheck in pure JavaScript, which needs neither network nor Java.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { join, relative } from "node:path";
import { type AnyNode, type CallExpression, type NewExpression, type Node, parse } from "acorn";

// recheck reads this at its first check. Its default starts a thread and, if available, a native program or Java.
process.env.RECHECK_SYNC_BACKEND = "pure";
const { checkSync } = createRequire(import.meta.url)("recheck") as typeof import("recheck");

/** `reason`: for an expression that backtracks, the growth of its time and an example of the input. */
export type Fault = { line: number; expression: string; reason: string };

/** No timeouts: recheck limits the number of its steps, so its verdict does not depend on the machine's load. */
const withoutTimeouts = {
  randomSeed: 1,
  timeout: null,
  attackTimeout: null,
  incubationTimeout: null,
  seedingTimeout: null,
};

/** @param code TypeScript whose types can be stripped */
export function faultsOf(code: string): Fault[] {
  const faults: Fault[] = [];
  const tree = parse(stripTypeScriptTypes(code), { ecmaVersion: "latest", sourceType: "module", locations: true });
  walk(tree, (node, parent) => {
    const reason = reasonAgainst(node, parent);
    if (!reason) return;
    faults.push({ line: node.loc?.start.line ?? 0, expression: code.slice(node.start, node.end), reason });
  });
  return faults;
}

function reasonAgainst(node: AnyNode, parent: AnyNode | undefined): string | undefined {
  if (node.type === "Literal" && node.regex) return verdict(node.regex.pattern, node.regex.flags);
  if (node.type === "Identifier" && node.name === "RegExp" && parent && !isKnownUse(node, parent)) {
    return "An expression that is composed at run time cannot be checked: write a literal, or a scanner.";
  }
  return undefined;
}

/** `RegExp(/literal/)`, whose literal is checked by itself, `instanceof RegExp`, and properties named `RegExp`. */
function isKnownUse(node: Node, parent: AnyNode): boolean {
  switch (parent.type) {
    case "BinaryExpression":
      return parent.operator === "instanceof";
    case "CallExpression":
    case "NewExpression":
      return parent.callee === node && isOfLiteral(parent);
    case "MemberExpression":
      return parent.property === node && !parent.computed && !isGlobalObject(parent.object);
    case "Property":
      return parent.key === node && !parent.computed && parent.value !== node;
    default:
      return false;
  }
}

/** Only without flags, which would change the expression. */
function isOfLiteral({ arguments: [pattern, flags] }: CallExpression | NewExpression): boolean {
  return pattern?.type === "Literal" && pattern.regex !== undefined && flags === undefined;
}

const isGlobalObject = (node: AnyNode) => node.type === "Identifier" && ["globalThis", "global"].includes(node.name);

function verdict(pattern: string, flags: string): string | undefined {
  const result = checkSync(pattern, flags, withoutTimeouts);
  switch (result.status) {
    case "safe":
      return undefined;
    case "vulnerable":
      return `It takes ${result.complexity.summary} time for ${result.attack.pattern}: write a scanner.`;
    default: {
      const detail = "message" in result.error ? `: ${result.error.message}` : "";
      return `recheck has no verdict (${result.error.kind}${detail}): write a simpler expression, or a scanner.`;
    }
  }
}

function walk(node: AnyNode, visit: (node: AnyNode, parent?: AnyNode) => void, parent?: AnyNode): void {
  visit(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === "string") walk(child, visit, node);
    }
  }
}

function main(): void {
  const root = join(import.meta.dirname, "..");
  const files = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) {
    for (const { line, expression, reason } of faultsOf(readFileSync(file, "utf8"))) {
      console.error(`${relative(root, file)}:${line}: ${expression}\n  ${reason}`);
      process.exitCode = 1;
    }
  }
}

if (import.meta.main) main();
