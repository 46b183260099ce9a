/**
 * Limits of a request's parts, checked before any of them is worked on: parsing, validation and coercion take time in
 * proportion to them, on the event loop that all requests share.
 */
import type { Plugin } from "graphql-yoga";
import { ApplicationError } from "../errors.ts";

export type RequestLimits = {
  /** Characters of the query's text. */
  maxQueryCharacters: number;
  /** List items and object fields, on all levels, in `variables`; and again in `extensions`. */
  maxVariableValues: number;
};

/** graphql-js counts lines from the start of the text for each node that an error names. */
const maxQueryLines = 2_000;
const maxDepth = 20;
const maxNameCharacters = 200;

/** The parts as a client sent them: of any type. */
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
          // Yoga parses the JSON in a URL or a form, and lets its error pass.
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

/** Beside the values of `variables` and `extensions` a request has few. */
const otherValues = 100;

/**
 * Counts values before they are made: a megabyte of empty lists takes JSON.parse twenty times as long as one of text.
 *
 * @throws ApplicationError BAD_USER_INPUT; what is no JSON is left to JSON.parse
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

/** @throws ApplicationError BAD_USER_INPUT at the first part that is too large */
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
  // The other line terminator of GraphQL.
  for (let index = query.indexOf("\r"); index >= 0; index = query.indexOf("\r", index + 1)) lines++;
  if (lines > maxQueryLines) throw refusal(`A query has at most ${maxQueryLines} lines. ${advice}`);
}

/** Level by level rather than recursive, since JSON.parse accepts more levels than the stack has room for. */
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

/** True for what JSON makes; an uploaded file that has been put among the variables is a single value. */
function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

function refusal(message: string): ApplicationError {
  return new ApplicationError("BAD_USER_INPUT", message, { http: { status: 400 } });
}
