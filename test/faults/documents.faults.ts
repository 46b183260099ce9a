import type { Fault } from "./fault.ts";

const search = ["test/documents/chunk-search.test.ts"];
const visibility = ["test/documents/visible-relations.test.ts"];

export const faults: Fault[] = [
  {
    name: "the text of a search for chunks is not normalised",
    file: "src/documents/chunk-search.relations.ts",
    replace: { "lower(normalize(${text}, NFC) collate": "lower(${text} collate" },
    tests: search,
  },
  {
    name: "the text of a search for chunks is decomposed",
    file: "src/documents/chunk-search.relations.ts",
    replace: { "lower(normalize(${text}, NFC) collate": "lower(normalize(${text}, NFD) collate" },
    tests: search,
  },
  {
    name: "accents do not rank",
    file: "src/documents/chunk-search.relations.ts",
    replace: { "then 1 else 0 end": "then 0 else 0 end" },
    tests: search,
  },
  {
    name: "a decomposed text has no marks in its snippet",
    file: "src/documents/chunk-search.relations.ts",
    replace: { "translate(normalize(r.text, NFC)": "translate(normalize(r.text, NFD)" },
    tests: search,
  },
  {
    name: "the marks of a snippet are not removed from the text first",
    file: "src/documents/chunk-search.relations.ts",
    replace: { "translate(normalize(r.text, NFC), ${markStart + markEnd}, '')": "normalize(r.text, NFC)" },
    tests: search,
  },
  {
    name: "the search for chunks ranks hidden ones",
    file: "src/documents/chunk-search.relations.ts",
    replace: { "extra: {} as ChunkHitExtra, visible: chunkVisible,": "extra: {} as ChunkHitExtra," },
    tests: visibility,
  },
  {
    name: "snippets are marked by the database, and not escaped",
    file: "src/documents/chunk-search.schema.ts",
    replace: {
      "escapeHtml(snippet).replaceAll(markStart": "snippet.replaceAll(markStart",
      "const escapeHtml": "export const escapeHtml",
    },
    tests: search,
  },
  {
    name: "snippets escape elements only",
    file: "src/documents/chunk-search.schema.ts",
    replace: { "text.replace(/[&<>\"']/g": "text.replace(/[&<>]/g" },
    tests: search,
  },
  {
    name: "snippets do not escape what looks escaped",
    file: "src/documents/chunk-search.schema.ts",
    replace: { "text.replace(/[&<>\"']/g": "text.replace(/[<>\"']/g" },
    tests: search,
  },
  {
    name: "chunks are found by their id without a rule",
    file: "src/documents/chunk.relations.ts",
    replace: { 'key: "id", visible: chunkVisible': 'key: "id"' },
    tests: visibility,
  },
  {
    name: "chunks of a document are read without a rule",
    file: "src/documents/chunk.relations.ts",
    replace: { "visible: chunkVisible, }); export type": "}); export type" },
    tests: visibility,
  },
  {
    name: "neighbours are read without a rule",
    file: "src/documents/chunk.relations.ts",
    replace: { "neighbour <> me.index)`, visible: chunkVisible,": "neighbour <> me.index)`," },
    tests: visibility,
  },
  {
    name: "pages of documents have no rule",
    file: "src/documents/document.relations.ts",
    replace: { "filter: documentFilter, visible: documentVisible,": "filter: documentFilter," },
    tests: visibility,
  },
  {
    name: "documents are found by their id without a rule",
    file: "src/documents/document.relations.ts",
    replace: {
      'key: "id", visible: documentVisible, }); export const allDocuments': 'key: "id", }); export const allDocuments',
    },
    tests: visibility,
  },
  {
    name: "the text of a document is read without a rule",
    file: "src/documents/document.relations.ts",
    replace: { 'column: "text", visible: documentVisible,': 'column: "text",' },
    tests: visibility,
  },
  {
    name: "editors see all documents",
    file: "src/documents/document.visibility.ts",
    replace: {
      'if (isAdmin(viewer)) return raw("true");':
        'if (isAdmin(viewer) || viewer?.role === "EDITOR") return raw("true");',
    },
    tests: visibility,
  },
  {
    name: "watchers are told of hidden documents",
    file: "src/documents/document.visibility.ts",
    replace: { "|| document.ownerId === viewer?.id": "|| viewer !== null" },
    tests: ["test/outbox/watching.test.ts"],
  },
  {
    name: "memory of a text that was read is not given back",
    file: "src/documents/document.service.ts",
    replace: { "uow.afterEnd(release);": "void [uow, release];" },
    tests: ["test/uploads/uploads.test.ts"],
  },
  {
    name: "a text is read whole without waiting for memory",
    file: "src/documents/reading/file-reader.ts",
    replace: { "hold(await this.#memory.take(sizeBytes));": "void this.#memory.take(0).then(hold);" },
    tests: ["test/uploads/uploads.test.ts"],
  },
];
