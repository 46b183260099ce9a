import type { Fault } from "./fault.ts";

const multipart = ["test/uploads/multipart.unit.test.ts"];
const plugin = ["test/uploads/upload-plugin.unit.test.ts"];

export const faults: Fault[] = [
  {
    name: "a field that was cut is malformed instead of too large",
    file: "src/uploads/multipart.ts",
    replace: { "if (isValueCut) return fail(tooLarge(`The field ${name} has at most ${maxFieldBytes} bytes.`));": "" },
    tests: multipart,
  },
  {
    name: "map may come before operations",
    file: "src/uploads/multipart.ts",
    replace: {
      "if (name !== expected) return": 'if (expected === undefined || !["operations", "map"].includes(name)) return',
    },
    tests: multipart,
  },
  {
    name: "a file may come before map",
    file: "src/uploads/multipart.ts",
    replace: { "if (fields.size < 2) return": "if (fields.size < 1) return" },
    tests: multipart,
  },
  {
    name: "a file that is sent twice replaces the first",
    file: "src/uploads/multipart.ts",
    replace: { "name === undefined || files.has(name)": "name === undefined" },
    tests: multipart,
  },
  {
    name: "values in operations are not counted before they are parsed",
    file: "src/uploads/multipart.ts",
    replace: { "requireSparseJson(value, maxVariableValues);": "" },
    tests: multipart,
  },
  {
    name: "a file that is too large does not say where it was to go",
    file: "src/uploads/multipart.ts",
    replace: { 'tooLarge(error.message, inputPathOf(fields.get("map"), name))': "tooLarge(error.message)" },
    tests: multipart,
  },
  {
    name: "a connection that ends amid a file is waited for",
    file: "src/uploads/multipart.ts",
    replace: {
      'req.on("close", () => req.complete || fail(malformed("The request is incomplete.")));': "",
    },
    tests: multipart,
  },
  {
    name: "a refusal does not wait until its files are written",
    file: "src/uploads/multipart.ts",
    replace: { "await Promise.allSettled(files.values());": "void Promise.allSettled(files.values());" },
    tests: multipart,
  },
  {
    name: "a whole file is discarded only when all others are whole",
    file: "src/uploads/multipart.ts",
    replace: {
      ".then((whole) => void staged.push(whole))": ".then((whole) => received.then(() => void staged.push(whole)))",
    },
    tests: multipart,
  },
  {
    name: "a file without a path is received for nothing",
    file: "src/uploads/multipart.ts",
    replace: { "paths.length === 0 ||": "" },
    tests: multipart,
  },
  {
    name: "a file that map names may be missing",
    file: "src/uploads/multipart.ts",
    replace: { "if (missing !== undefined) throw": "if (missing !== undefined && files.size > 0) throw" },
    tests: multipart,
  },
  {
    name: "a file replaces a value",
    file: "src/uploads/multipart.ts",
    replace: { "|| !Object.hasOwn(parent, last) || parent[last] !== null": "|| !Object.hasOwn(parent, last)" },
    tests: multipart,
  },
  {
    name: "a path leads through what all objects have",
    file: "src/uploads/multipart.ts",
    replace: { "isContainer(parent) && Object.hasOwn(parent, key) ?": "isContainer(parent) ?" },
    tests: multipart,
  },
  {
    name: "a content type in capitals holds no files",
    file: "src/uploads/upload-plugin.ts",
    replace: { "form-data/i.test": "form-data/.test" },
    tests: plugin,
  },
  {
    name: "strangers may send files",
    file: "src/uploads/upload-plugin.ts",
    replace: { "if (!(await isSignedIn(request)))": "if (!isSignedIn(request))" },
    tests: plugin,
  },
  {
    name: "a file that cannot be removed leaves those after it",
    file: "src/uploads/upload-plugin.ts",
    replace: {
      '.catch((error) => logger.warn({ err: error }, "a staged file could not be removed; the sweep will"));': ";",
    },
    tests: plugin,
  },
  {
    name: "files of a request that gets no memory stay",
    file: "src/uploads/upload-plugin.ts",
    replace: {
      "for (const file of staged) {": "for (const file of hasBegun ? staged : []) {",
      "let [isEnded, release] = [false, () => {}];": "let [isEnded, hasBegun, release] = [false, false, () => {}];",
      "if (isEnded) release();": "hasBegun = true; if (isEnded) release();",
    },
    tests: plugin,
  },
  {
    name: "memory for files is given by their number",
    file: "src/uploads/upload-plugin.ts",
    replace: { "staged.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)": "staged.length * limits.maxFileBytes" },
    tests: plugin,
  },
  {
    name: "memory stays taken by a request that ended while it waited",
    file: "src/uploads/upload-plugin.ts",
    replace: { "if (isEnded) release();": "" },
    tests: plugin,
  },
  {
    name: "memory for files is not given back",
    file: "src/uploads/upload-plugin.ts",
    replace: { "isEnded = true; release();": "isEnded = true;" },
    tests: plugin,
  },
];
