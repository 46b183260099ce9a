/**
 * Errors that only broken hardware makes, put in where Node calls the operating system: `node:fs/promises` itself, so
 * that all code of this process meets them.
 *
 * ```ts
 * const heal = failFiles("sync", "EIO");           // every sync of a file
 * const heal = failFiles("rm", "EROFS", /staged/); // of paths that match
 * heal();
 * ```
 */
import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { constants } from "node:os";

/** Calls by a path, and calls of a file that was opened meanwhile. */
type PathCall = "open" | "mkdir" | "opendir" | "readFile" | "rename" | "rm" | "stat" | "utimes";
type HandleCall = "read" | "write" | "sync" | "close";
export type FileCall = PathCall | HandleCall;
export type ErrorName = keyof typeof constants.errno;

export const errorNames = Object.keys(constants.errno) as ErrorName[];

type Call = (this: unknown, ...parameters: unknown[]) => Promise<unknown>;
const calls = fs as unknown as Record<PathCall, Call>;
const isOfHandle = (call: FileCall): call is HandleCall => ["read", "write", "sync", "close"].includes(call);

/** @returns how to end it */
export function failFiles(call: FileCall, code: ErrorName, where = /^/): () => void {
  const patched = isOfHandle(call) ? "open" : call;
  const real = calls[patched];
  calls[patched] = async function (...parameters) {
    const path = String(parameters[0]);
    if (!where.test(path)) return real.apply(this, parameters);
    if (!isOfHandle(call)) throw systemError(code, call, path);
    return failing((await real.apply(this, parameters)) as FileHandle, call, code);
  };
  syncBuiltinESMExports();
  return () => {
    calls[patched] = real;
    syncBuiltinESMExports();
  };
}

function failing(file: FileHandle, call: HandleCall, code: ErrorName): FileHandle {
  const close = file.close.bind(file);
  const fail = async () => {
    // The file is closed then, whatever the operating system's answer is.
    if (call === "close") await close();
    throw systemError(code, call);
  };
  return Object.assign(file, { [call]: fail });
}

/** As Node makes it: an error that a call of an open file met has no path. */
export function systemError(code: ErrorName, syscall: string, path?: string): NodeJS.ErrnoException {
  const message = `${code}: injected, ${syscall}${path === undefined ? "" : ` '${path}'`}`;
  return Object.assign(new Error(message), { code, errno: -constants.errno[code], syscall, ...(path && { path }) });
}
