import type { Fault } from "./fault.ts";

const errors = ["test/database/sql-errors.unit.test.ts"];
const settings = ["test/database/session-settings.unit.test.ts"];
const reads = ["test/database/read-connections.unit.test.ts"];
const sessions = ["test/database/read-connections.test.ts"];
const listening = ["test/database/listener.unit.test.ts"];
const closing = ["test/database/with-client.unit.test.ts"];

export const faults: Fault[] = [
  {
    name: "half of a repair stays when the other half fails",
    file: "src/database/with-client.ts",
    replace: { 'await client.query("begin");': "" },
    tests: ["test/integrity.test.ts"],
  },
  {
    name: "a deadlock is not retried",
    file: "src/database/sql-errors.ts",
    replace: { 'return state === "40001" || state === "40P01" ||': 'return state === "40001" ||' },
    tests: errors,
  },
  {
    name: "an overlap that a transaction could not see is not retried",
    file: "src/database/sql-errors.ts",
    replace: { '|| state === "23P01"': "" },
    tests: errors,
  },
  {
    name: "a row that others need is kept for an unknown reason since PostgreSQL 18",
    file: "src/database/sql-errors.ts",
    replace: { 'return state === "23001" || state === "23503";': 'return state === "23503";' },
    tests: errors,
  },
  {
    name: "a refusal with words around it is not understood",
    file: "src/database/sql-errors.ts",
    replace: { 'message.slice(message.indexOf("{"), message.lastIndexOf("}") + 1)': "message" },
    tests: errors,
  },
  {
    name: "a refusal by a trigger loses its details",
    file: "src/database/refusal.ts",
    replace: { "String(message), details, error": "String(message), details && {}, error" },
    tests: ["test/database/refusal.unit.test.ts"],
  },
  {
    name: "a code of Prisma hides the SQLSTATE inside",
    file: "src/database/sql-errors.ts",
    replace: { "&& !/^P[12]\\d{3}$/.test(code)": "" },
    tests: errors,
  },
  {
    name: "a code of the operating system is taken for an SQLSTATE",
    file: "src/database/sql-errors.ts",
    replace: { "/^(?=.*\\d)[0-9A-Z]{5}$/": "/^[0-9A-Z]{5}$/" },
    tests: errors,
  },
  {
    name: "errors that wrap each other are followed for ever",
    file: "src/database/sql-errors.ts",
    replace: { "|| layers.includes(value as Layer) || layers.length > 10": "" },
    tests: errors,
  },
  {
    name: "the error of the driver is not looked into",
    file: "src/database/sql-errors.ts",
    replace: { "if (meta) visit(meta.driverAdapterError);": "" },
    tests: errors,
  },
  {
    name: "no free connection counts as the timeout of a transaction",
    file: "src/database/sql-errors.ts",
    replace: {
      'code === "P2028" && !/maxWait|Unable to start/i.test(String(message))': 'code === "P2028" && message !== ""',
    },
    tests: errors,
  },
  {
    name: "a database that is starting is not unavailable",
    file: "src/database/sql-errors.ts",
    replace: { 'if (state === "57P03" || state === "53300") return true;': 'if (state === "53300") return true;' },
    tests: errors,
  },
  {
    name: "a connection ended by an administrator is not lost",
    file: "src/database/sql-errors.ts",
    replace: { 'if (state === "57P01" || state === "57P02" ||': 'if (state === "57P02" ||' },
    tests: errors,
  },
  {
    name: "a crash at COMMIT counts as an ordinary error",
    file: "src/database/sql-errors.ts",
    replace: { "/^(53|58|XX)/": "/^(53|58)/" },
    tests: errors,
  },
  {
    name: "the options of the URL override the settings of a session",
    file: "src/database/session-settings.ts",
    replace: { '[parameters.get("options"), ...added]': '[...added, parameters.get("options")]' },
    tests: settings,
  },
  {
    name: "the other parameters of the URL are lost",
    file: "src/database/session-settings.ts",
    replace: { "parameters.size === 0 ? address : `${address}?${parameters}`": "address" },
    tests: settings,
  },
  {
    name: "read connections may write",
    file: "src/database/read-connection.ts",
    replace: { '{ default_transaction_read_only: "on", statement_timeout:': "{ statement_timeout:" },
    tests: sessions,
  },
  {
    name: "the statements of a plan see different moments",
    file: "src/database/read-connection.ts",
    replace: { "begin isolation level repeatable read read only": "begin read only" },
    tests: sessions,
  },
  {
    name: "the timeout of a plan stays on its connection",
    file: "src/database/read-connection.ts",
    replace: {
      "select set_config('statement_timeout', $1, true)": "select set_config('statement_timeout', $1, false)",
    },
    tests: sessions,
  },
  {
    name: "int8 is read as text",
    file: "src/database/row-types.ts",
    replace: { "type === bigintType ? BigInt : pg.types": "type < 0 ? BigInt : pg.types" },
    tests: sessions,
  },
  {
    name: "prepared statements have no limit",
    file: "src/database/read-connection.ts",
    replace: { "if (this.#named.size >= maxNamedStatements) return { text, values };": "" },
    tests: sessions,
  },
  {
    name: "a new connection counts the prepared statements of the lost one",
    file: "src/database/read-connection.ts",
    replace: { "this.#named.clear();": "" },
    tests: reads,
  },
  {
    name: "a statement that is to be planned each time is prepared",
    file: "src/database/read-connection.ts",
    replace: { "|| text.includes(plannedEachTime.text)": "" },
    tests: reads,
  },
  {
    name: "a statement that is used once is prepared",
    file: "src/database/read-connection.ts",
    replace: { "names.set(text, null); return undefined;": "" },
    tests: reads,
  },
  {
    name: "answers to earlier statements do not count as a sign of life",
    file: "src/database/read-connection.ts",
    replace: { "Math.max(oldest, this.#heardAt)": "oldest" },
    tests: reads,
  },
  {
    name: "a connection without a statement is broken for its silence",
    file: "src/database/read-connection.ts",
    replace: {
      "const [oldest] = this.#pending; if (oldest === undefined) return;": "const [oldest = 0] = this.#pending;",
    },
    tests: reads,
  },
  {
    name: "a connection takes one statement too many",
    file: "src/database/read-connection.ts",
    replace: { "this.depth < this.#options.maxDepth": "this.depth <= this.#options.maxDepth" },
    tests: reads,
  },
  {
    name: "reads wait behind a statement that takes long",
    file: "src/database/read-connection.ts",
    replace: { "return isBlocked ? this.depth + this.#options.maxDepth : this.depth;": "return this.depth;" },
    tests: reads,
  },
  {
    name: "a closed connection is opened again",
    file: "src/database/read-connection.ts",
    replace: {
      "const client = this.#client; this.#client = undefined;": "const client = this.#client;",
      'if (this.#isClosed) throw new ReadOverloadError("The read connections are closed.");': "",
      "while (!this.#isClosed && !this.#client)": "while (!this.#client)",
    },
    tests: reads,
  },
  {
    name: "a lost connection is opened again without a delay",
    file: "src/database/read-connection.ts",
    replace: { "this.#failures++; throw error;": "throw error;" },
    tests: reads,
  },
  {
    name: "a plan whose connection was lost amid it answers in part",
    file: "src/database/read-connection.ts",
    replace: { "if (loss) throw loss;": "" },
    tests: reads,
  },
  {
    name: "every failed read is repeated",
    file: "src/database/read-connections.ts",
    replace: { "if (!isConnectionLoss(error)) throw error;": "" },
    tests: reads,
  },
  {
    name: "a lost read is repeated on the same connection",
    file: "src/database/read-connections.ts",
    replace: { "this.#leastBusy(connection) ?? (await this.#firstReady(connection))": "connection" },
    tests: reads,
  },
  {
    name: "reads go to the connection with the most statements",
    file: "src/database/read-connections.ts",
    replace: { "other.load < one.load ? other : one": "other.load > one.load ? other : one" },
    tests: reads,
  },
  {
    name: "nobody is woken after a reconnection",
    file: "src/database/listener.ts",
    replace: { "wake(); }; const reopen": "}; const reopen", "await open().catch(": "await open().then(wake).catch(" },
    tests: listening,
  },
  {
    name: "a listener that was stopped listens again",
    file: "src/database/listener.ts",
    replace: { "if (isStopped) return; open()": "open()" },
    tests: listening,
  },
  {
    name: "a listener that could not begin goes on trying",
    file: "src/database/listener.ts",
    replace: { "isStopped = true; throw error;": "throw error;" },
    tests: listening,
  },
  {
    name: "a connection whose use fails stays open",
    file: "src/database/with-client.ts",
    replace: {
      "try { return await use(client); } finally { await endClient(client); }":
        "const result = await use(client); await endClient(client); return result;",
    },
    tests: closing,
  },
  {
    name: "the end of a connection is waited for on a dead network",
    file: "src/database/with-client.ts",
    replace: { "setTimeout(() => streamOf(client).destroy(), timeoutMs)": "setTimeout(() => {}, timeoutMs)" },
    tests: closing,
  },
  {
    name: "the end of a borrowed connection ends the process",
    file: "src/database/client.ts",
    replace: { 'this.on("error", () => {});': "" },
    tests: ["test/database/terminated-connections.test.ts"],
  },
];
