/**
 * Limits of the parts of a request, checked first: parsing, validation and coercion take time in proportion to them, on
 * the event loop that all requests share.
 */
import type { Plugin } from "graphql-yoga";
import { ApplicationError } from "../errors.ts";

export type RequestLimits = {
  maxQueryCharacters: number;
  /** Number of list items and object fields on all levels, in `variables` and in `extensions` each. */
  maxVariableValues: number;
};

/** For each node of an error, graphql-js counts lines from the start of the text. */
const maxQueryLines = 2_000;
const maxDepth = 20;
const maxNameCharacters = 200;

/** Unvalidated parts of a request. */
export type RequestParts = { query?: unknown; variables?: unknown; extensions?: unknown; operationName?: unknown };

export function useRequestLimits(limits: RequestLimits): Plugin {
  return {
    onRequestParse({ request, requestParser: parse, setRequestParser }) {
      if (!parse) return;
      const isJson = request.headers.get("content-type")?.includes("json");
      setRequestParser(async (whole) => {
        try {
          return await parse(isJson ? withSparseJson(whole, limits.maxVariableValues) : whole);
        } catch (error) {
          // Yoga does not catch errors of the JSON in a URL or a form.
          if (error instanceof SyntaxError) throw refusal("The variables or the extensions are not JSON.");
          throw error;
        }
      });
    },
    onParams: ({ params }) => requireSmall(params as RequestParts | null, limits),
  };
}

function withSparseJson(request: Request, maxValues: number): Request {
  const json = async () => {
    const text = await request.text();
    requireSparseJson(text, maxValues);
    return JSON.parse(text);
  };
  return Object.create(request, { json: { value: json } });
}

/** Allowance for values of a request outside `variables` and `extensions`. */
const otherValues = 100;

/**
 * Counts values before parsing: JSON.parse takes twenty times as long for a megabyte of empty lists as for text.
 *
 * @throws ApplicationError BAD_USER_INPUT if there are too many; JSON.parse reports invalid JSON
 */
export function requireSparseJson(text: string, maxValues: number): void {
  const most = 2 * maxValues + otherValues;
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') index = endOfString(text, index);
    else if (character === "," || character === "[" || character === "{") count++;
    if (count > most) throw refusal(`A request holds at most ${most} values.`);
  }
}

/** The index of the closing quote, or the text's length. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; ; index++) {
    index = text.indexOf('"', index);
    if (index < 0) return text.length;
    let backslashes = 0;
    while (text[index - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return index;
  }
}

/** @throws ApplicationError BAD_USER_INPUT if a part is too large */
export function requireSmall(parts: RequestParts | null, limits: RequestLimits): void {
  const { query, operationName, variables, extensions } = parts ?? {};
  if (typeof query === "string") requireShortQuery(query, limits.maxQueryCharacters);
  if (typeof operationName === "string" && operationName.length > maxNameCharacters) {
    throw refusal(`The name of an operation has at most ${maxNameCharacters} characters.`);
  }
  requireFewValues("variables", variables, limits.maxVariableValues);
  requireFewValues("extensions", extensions, limits.maxVariableValues);
}

function requireShortQuery(query: string, maxCharacters: number): void {
  const advice = "Send long texts in variables.";
  if (query.length > maxCharacters) throw refusal(`A query has at most ${maxCharacters} characters. ${advice}`);
  let lines = 1;
  for (let index = query.indexOf("\n"); index >= 0; index = query.indexOf("\n", index + 1)) lines++;
  // GraphQL's other line terminator.
  for (let index = query.indexOf("\r"); index >= 0; index = query.indexOf("\r", index + 1)) lines++;
  if (lines > maxQueryLines) throw refusal(`A query has at most ${maxQueryLines} lines. ${advice}`);
}

/** Iterates level by level: a recursion would exceed the stack on levels that JSON.parse accepts. */
function requireFewValues(name: string, root: unknown, maxValues: number): void {
  let count = 0;
  let level = isContainer(root) ? [root] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) throw refusal(`The ${name} are nested ${maxDepth} levels deep at most.`);
    const next: object[] = [];
    for (const container of level) {
      for (const key in container) {
        if (++count > maxValues) throw refusal(`The ${name} hold at most ${maxValues} values.`);
        const value = (container as Record<string, unknown>)[key];
        if (isContainer(value)) next.push(value);
      }
    }
    level = next;
  }
}

/** True for JSON's lists and objects, but not for uploaded files, which count as one value. */
function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

function refusal(message: string): ApplicationError {
  return new ApplicationError("BAD_USER_INPUT", message, { http: { status: 400 } });
}
