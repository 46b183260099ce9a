import type { Fault } from "./fault.ts";

const addresses = ["test/downloads/file-addresses.unit.test.ts"];
const answers = ["test/downloads/file-answer.unit.test.ts"];
const names = ["test/downloads/file-names.unit.test.ts"];
const serving = ["test/downloads/serving.test.ts"];
const documents = ["test/downloads/document-downloads.test.ts"];
const handler = ["test/downloads/download-handler.unit.test.ts"];

export const faults: Fault[] = [
  {
    name: "the viewer of an address is not signed",
    file: "src/downloads/file-addresses.ts",
    replace: {
      "signature: this.#sign(kind, id, viewer, expires),": "signature: this.#sign(kind, id, expires),",
      "this.#sign(kind, id, viewer, expires)))": "this.#sign(kind, id, expires)))",
    },
    tests: addresses,
  },
  {
    name: "signatures are compared as bytes, which several texts decode to",
    file: "src/downloads/file-addresses.ts",
    replace: {
      "[Buffer.from(given), Buffer.from(expected)]":
        '[Buffer.from(given, "base64url"), Buffer.from(expected, "base64url")]',
    },
    tests: addresses,
  },
  {
    name: "addresses do not expire",
    file: "src/downloads/file-addresses.ts",
    replace: { "if (expiresAt <= nowSeconds()) return null;": "" },
    tests: addresses,
  },
  {
    name: "an address may live shorter than promised",
    file: "src/downloads/file-addresses.ts",
    replace: { "Math.ceil(nowSeconds() / stepSeconds) +": "Math.floor(nowSeconds() / stepSeconds) +" },
    tests: addresses,
  },
  {
    name: "an address of a user acts for strangers, too, when the library is closed",
    file: "src/downloads/download-handler.ts",
    replace: { "viewerId === null ? options.isPublic : viewer !== null": "options.isPublic || viewer !== null" },
    tests: handler,
  },
  {
    name: "a stranger's address is good everywhere",
    file: "src/downloads/download-handler.ts",
    replace: { "viewerId === null ? options.isPublic : viewer !== null": "viewerId === null || viewer !== null" },
    tests: handler,
  },
  {
    name: "a part of another version is appended",
    file: "src/downloads/file-answer.ts",
    replace: { "(ifRange !== undefined && ifRange !== etag)": 'ifRange === ""' },
    tests: answers,
  },
  {
    name: "the first of several ranges is sent for all",
    file: "src/downloads/file-answer.ts",
    replace: { "ranges.length > 1 ||": "" },
    tests: answers,
  },
  {
    name: "the last byte of a range is missing",
    file: "src/downloads/file-answer.ts",
    replace: { "end: only.end + 1": "end: only.end" },
    tests: answers,
  },
  {
    name: "a file that changes is kept by caches",
    file: "src/downloads/file-answer.ts",
    replace: { "file.isLive ?": "file.isLive && request.range !== undefined ?" },
    tests: answers,
  },
  {
    name: "addresses in a file act for strangers",
    file: "src/downloads/download-handler.ts",
    replace: { "addressesFor(options.addresses, viewerId)": "addressesFor(options.addresses, null)" },
    tests: handler,
  },
  {
    name: "browsers guess the type of a file",
    file: "src/downloads/file-answer.ts",
    replace: { '"x-content-type-options": "nosniff",': "" },
    tests: answers,
  },
  {
    name: "a name reverses its ending",
    file: "src/downloads/file-names.ts",
    replace: { "\\u202a-\\u202e": "" },
    tests: names,
  },
  {
    name: "a lone surrogate in a name fails the request",
    file: "src/downloads/file-names.ts",
    replace: { "name.toWellFormed()": "name" },
    tests: names,
  },
  {
    name: "a file stays open when its client left before it was read",
    file: "src/downloads/send-pieces.ts",
    replace: { "await iterator.return?.();": "" },
    tests: handler,
  },
  {
    name: "a client that takes nothing keeps a file open",
    file: "src/downloads/send-pieces.ts",
    replace: { "res.setTimeout(stallMs, () => res.destroy());": "void stallMs;" },
    tests: handler,
  },
  {
    name: "a response ends early without an error",
    file: "src/downloads/send-pieces.ts",
    replace: { "if (sent !== sizeBytes) throw": "if (sent > sizeBytes) throw" },
    tests: handler,
  },
  {
    name: "status and headers go before the file is found",
    file: "src/downloads/send-pieces.ts",
    replace: { "const first = await iterator.next();": "begin(); const first = await iterator.next();" },
    tests: handler,
  },
  {
    name: "a missing file is not logged",
    file: "src/downloads/download-handler.ts",
    replace: { 'logger.error({ err: error, kind, id }, "the file of a row is missing");': "" },
    tests: handler,
  },
  {
    name: "a file that a client has is read again",
    file: "src/downloads/download-handler.ts",
    replace: { 'if (req.method === "HEAD" || status === 304) {': 'if (req.method === "HEAD") {' },
    tests: handler,
  },
  {
    name: "a file is read on, however slow its client is",
    file: "src/downloads/send-pieces.ts",
    replace: {
      "await pipeline(exactly(sizeBytes, key, first, iterator), res);":
        "for await (const piece of exactly(sizeBytes, key, first, iterator)) res.write(piece); res.end();",
      'import { pipeline } from "node:stream/promises";': "",
    },
    tests: serving,
  },
  {
    name: "a document is downloaded by everybody who has an address",
    file: "src/documents/document.downloads.ts",
    replace: {
      'and ${documentVisible(viewer, columnsOf(tables.Document, "t"))}`);':
        'and (true or ${documentVisible(viewer, columnsOf(tables.Document, "t"))})`);',
    },
    tests: documents,
  },
  {
    name: "a long text is sent from the beginning again in each piece",
    file: "src/documents/document.downloads.ts",
    replace: { "from ${position + 1}::int": "from ${start + 1}::int" },
    tests: documents,
  },
  {
    name: "the viewer of an address has the role that the operation had",
    file: "src/users/authentication.ts",
    replace: { "select id, role, '' as": "select id, 'ADMIN' as role, '' as" },
    tests: documents,
  },
  {
    name: "an address of a subscription is a stranger's",
    file: "src/operations/contexts.ts",
    replace: {
      "return { ...operation, viewer, trace, loaders, fileAddress: fileAddressFor(viewer) };":
        "return { ...operation, viewer, trace, loaders, fileAddress: fileAddressFor(null) };",
    },
    tests: documents,
  },
  {
    name: "the port of addresses is the configured one",
    file: "src/application.ts",
    replace: { "addresses.movePort({ from: at.port, to: server.port });": "" },
    tests: documents,
  },
  {
    name: "a refusal under /files/ is masked",
    file: "src/server/http-server.ts",
    replace: { "return refuseErrors(serveFile(req, res), res, requestId, logger);": "return serveFile(req, res);" },
    tests: serving,
  },
  {
    name: "the store's address lives as long as the server's",
    file: "src/downloads/download-handler.ts",
    replace: {
      "Math.ceil(Math.min(secondsLeft, redirectSeconds))": "Math.ceil(Math.max(secondsLeft, redirectSeconds))",
    },
    tests: ["test/downloads/delivery-from-s3.test.ts"],
  },
  {
    name: "HEAD is sent to an address that is for GET only",
    file: "src/downloads/download-handler.ts",
    replace: { 'req.method === "GET" && answer.status !== 304': "answer.status !== 304" },
    tests: ["test/downloads/delivery-from-s3.test.ts"],
  },
  {
    name: "an audio file that is opened by itself is not played",
    file: "src/downloads/file-answer.ts",
    replace: { "; media-src 'self'": "" },
    tests: answers,
  },
  {
    name: "pages of other sites cannot play",
    file: "src/downloads/file-answer.ts",
    replace: {
      '"cross-origin-resource-policy": "cross-origin"': '"cross-origin-resource-policy": "same-origin"',
    },
    tests: answers,
  },
];
