import type { Fault } from "./fault.ts";

const multipart = ["test/uploads/multipart.unit.test.ts"];
const rules = ["test/uploads/upload-rules.unit.test.ts"];
const resumable = ["test/uploads/resumable-uploads.test.ts"];
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
      'if (name !== ["operations", "map"][fields.size]) return': 'if (!["operations", "map"].includes(name)) return',
    },
    tests: multipart,
  },
  {
    name: "a file may come before map",
    file: "src/uploads/multipart.ts",
    replace: {
      "if (!expected) return fail(malformed(order));":
        'expected ??= new Map([[name ?? "", { maxBytes: 10, inputPath: [], slots: [] }]]);',
    },
    tests: multipart,
  },
  {
    name: "a file that is sent twice replaces the first",
    file: "src/uploads/multipart.ts",
    replace: {
      "name === undefined || maxBytes === undefined || files.has(name)": "name === undefined || maxBytes === undefined",
    },
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
    replace: { "tooLarge(error.message, inputPath) : error": "tooLarge(error.message) : error" },
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
    replace: {
      "if (!file) throw": "if (!file && files.size > 0) throw",
      "parent[key] = file;": "parent[key] = file ?? null;",
    },
    tests: multipart,
  },
  {
    name: "a file replaces a value",
    file: "src/uploads/multipart.ts",
    replace: { "|| !Object.hasOwn(parent, key) || parent[key] !== null": "|| !Object.hasOwn(parent, key)" },
    tests: multipart,
  },
  {
    name: "a path leads through what all objects have",
    file: "src/uploads/multipart.ts",
    replace: { "isContainer(parent) && Object.hasOwn(parent, step) ?": "isContainer(parent) ?" },
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
    replace: {
      "if (!viewer) throw": 'if (viewer?.id === "") throw',
      "fileLimitsOf(operations, { rules, viewer, limits })":
        "fileLimitsOf(operations, { rules, viewer: viewer ?? null, limits })",
      "requireRoom(viewer, bytes)": 'requireRoom(viewer ?? { id: "", role: "VIEWER", sessionId: "" }, bytes)',
    },
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
    name: "the role of the first field that takes files counts for all",
    file: "src/uploads/upload-rules.ts",
    replace: { "const forbidden = fields.find(": "const forbidden = fields.slice(0, 1).find(" },
    tests: rules,
  },
  {
    name: "fields in fragments take files without their role",
    file: "src/uploads/upload-rules.ts",
    replace: {
      "if (fragment) collect(fragment.selectionSet);":
        "if (fragment && visited.size > 9) collect(fragment.selectionSet);",
    },
    tests: rules,
  },
  {
    name: "a query's field takes files as a mutation's of the same name",
    file: "src/uploads/upload-rules.ts",
    replace: {
      "operation.operation === OperationTypeNode.MUTATION ? rules.get(node.name.value) : undefined":
        "operation.operation in OperationTypeNode ? undefined : rules.get(node.name.value)",
    },
    tests: rules,
  },
  {
    name: "a file has the largest limit of all fields",
    file: "src/uploads/upload-rules.ts",
    replace: { "(fed.length > 0 ? fed : fields)": "fields" },
    tests: rules,
  },
  {
    name: "tokens of the query of files are not counted",
    file: "src/uploads/upload-rules.ts",
    replace: { "parse(query, { maxTokens })": "parse(query, maxTokens > 0 ? {} : {})" },
    tests: rules,
  },
  {
    name: "a file that came with a refused operation is stored",
    file: "src/uploads/multipart.ts",
    replace: { "if (hasFailed) return void stream.resume();": "" },
    tests: multipart,
  },
  {
    name: "a file is read while its room is asked for",
    file: "src/uploads/multipart.ts",
    replace: { "room.then(() => store.stage(": "Promise.resolve().then(() => store.stage(" },
    tests: multipart,
  },
  {
    name: "the announced length is compared with the limit of one file only when it has come",
    file: "src/uploads/multipart.ts",
    replace: { "if (Number(announced) > overhead +": "if (Number(announced) > 100 * overhead +" },
    tests: multipart,
  },
  {
    name: "room is asked for the whole body",
    file: "src/uploads/multipart.ts",
    replace: { "return Math.max(0, Number(announced) - overhead);": "return Number(announced);" },
    tests: multipart,
  },
  {
    name: "invisible characters of a file's name are kept",
    file: "src/uploads/file-name.ts",
    replace: { '.replace(invisible, "")': "" },
    tests: multipart,
  },
  {
    name: "an offset is told before its bytes are on the disk",
    file: "src/uploads/upload-folder.ts",
    replace: {
      "await handle.sync(); const { size, mtime }": "const { size, mtime }",
    },
    tests: resumable,
  },
  {
    name: "everybody on the machine may read uploads",
    file: "src/uploads/upload-folder.ts",
    replace: {
      '"wx", 0o600': '"wx", 0o644',
    },
    tests: resumable,
  },
  {
    name: "a missing file of an upload is an error of the disk",
    file: "src/uploads/upload-folder.ts",
    replace: {
      'error.reason === "ENOENT"': 'error.reason === "ENOTDIR"',
    },
    tests: resumable,
  },
  {
    name: "a second request writes beside the first",
    file: "src/uploads/upload-locks.ts",
    replace: {
      "await this.#untilFree(id);": "await Promise.race([this.#untilFree(id), undefined]);",
    },
    tests: resumable,
  },
  {
    name: "uploads of a user are counted before others at the same time are created",
    file: "src/uploads/resumable-uploads.ts",
    replace: {
      "(this.#creating.get(userId) ?? Promise.resolve()).then(() =>": "Promise.resolve().then(() =>",
    },
    tests: resumable,
  },
  {
    name: "the sizes of a user's uploads are not added",
    file: "src/uploads/resumable-uploads.ts",
    replace: {
      "|| bytes > perUser.bytes": "|| upload.length > perUser.bytes + bytes",
    },
    tests: resumable,
  },
  {
    name: "an incomplete upload is used",
    file: "src/uploads/resumable-uploads.ts",
    replace: {
      "if (received !== length) {": "if (received > length) {",
    },
    tests: resumable,
  },
  {
    name: "an upload expires although an operation has just failed with it",
    file: "src/uploads/resumable-uploads.ts",
    replace: {
      "await folder.touch(key);": "",
    },
    tests: resumable,
  },
  {
    name: "an upload is swept while a request sends it",
    file: "src/uploads/resumable-uploads.ts",
    replace: {
      "|| locks.isHeld(lockIdOf(key))": "",
    },
    tests: resumable,
  },
  {
    name: "an upload is swept by the age of its announcement",
    file: "src/uploads/upload-folder.ts",
    replace: {
      "const last = Math.max(...times.map((time) => time ?? 0));": "const last = times.at(-1) ?? times[0] ?? 0;",
    },
    tests: resumable,
  },
  {
    name: "resumable uploads have no CSRF protection",
    file: "src/uploads/tus-endpoint.ts",
    replace: {
      "if (!isSameOrigin(headers) && !preflightHeaders": "if (isSameOrigin(headers) && !preflightHeaders",
    },
    tests: resumable,
  },
  {
    name: "other sites are told about uploads",
    file: "src/uploads/tus-endpoint.ts",
    replace: {
      'if (!name.startsWith("access-control-") && name !== "content-type")': 'if (name !== "content-type")',
    },
    tests: resumable,
  },
  {
    name: "every role may create the largest uploads",
    file: "src/uploads/tus-endpoint.ts",
    replace: {
      "largestFor(rules, this.#workOf(request).viewer)":
        'largestFor(rules, { id: String(this.#workOf(request)), role: "ADMIN", sessionId: "" })',
    },
    tests: resumable,
  },
  {
    name: "an upload of 0 bytes is created",
    file: "src/uploads/tus-endpoint.ts",
    replace: {
      "if (size === 0) throw": "if (size < 0) throw",
    },
    tests: resumable,
  },
  {
    name: "the room of a user is not asked for",
    file: "src/uploads/tus-endpoint.ts",
    replace: {
      "await requireRoom(viewerOf(this.#workOf(request)), size);": "void [requireRoom, request];",
    },
    tests: resumable,
  },
  {
    name: "a client's name is a part of the announcement",
    file: "src/uploads/tus-endpoint.ts",
    replace: {
      'displayName(metadata?.filename ?? "")': 'displayName("") + (metadata?.filename ?? "")',
    },
    tests: resumable,
  },
  {
    name: "an upload whose creation failed stays",
    file: "src/uploads/tus-endpoint.ts",
    replace: {
      "if (isCreated) await": "if (!isCreated) await",
    },
    tests: resumable,
  },
  {
    name: "the body is read before its request is admitted",
    file: "src/uploads/tus-endpoint.ts",
    replace: {
      "const work = await this.#admit(req, request);":
        "await request.clone().text(); const work = await this.#admit(req, request);",
    },
    tests: resumable,
  },
  {
    name: "a resumable upload is copied before its size is compared with the field's limit",
    file: "src/uploads/resumable-uploads.ts",
    replace: { "if (length > maxBytes) {": "if (length > maxBytes && received > length) {" },
    tests: resumable,
  },
  {
    name: "a client that waits for 100 Continue waits for ever",
    file: "src/uploads/tus-endpoint.ts",
    replace: { "if (this.#req.headers.expect !== undefined) this.#res.writeContinue();": "" },
    tests: resumable,
  },
  {
    name: "a request that waits for an upload waits for ever",
    file: "src/uploads/upload-locks.ts",
    replace: { "if (leftMs <= 0) {": "if (leftMs <= -60_000) {" },
    tests: ["test/uploads/upload-locks.unit.test.ts"],
  },
  {
    name: "a silent request keeps its upload",
    file: "src/uploads/upload-locks.ts",
    replace: { "> silentMs) holder.giveWay();": "> silentMs) void holder.giveWay;" },
    tests: ["test/uploads/upload-locks.unit.test.ts"],
  },
  {
    name: "a resumable upload is removed before the commit",
    file: "src/uploads/file-source.ts",
    replace: {
      "if (uploadId != null) uow.afterCommit(() => uploads.remove(uploadId, viewer));":
        "if (uploadId != null) void [uow, uploads.remove(uploadId, viewer)];",
    },
    tests: ["test/audio/audio.service.unit.test.ts"],
  },
  {
    name: "a staged copy of a resumable upload stays if it is refused",
    file: "src/uploads/file-source.ts",
    replace: {
      "} finally { // No effect on a kept file. await files.discard(staged); }": "} finally { void [files]; }",
    },
    tests: ["test/audio/audio.service.unit.test.ts"],
  },
];
