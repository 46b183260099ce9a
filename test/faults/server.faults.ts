import type { Fault } from "./fault.ts";

const stop = ["test/server/stop.test.ts"];

export const faults: Fault[] = [
  {
    name: "a stop waits for connections that clients keep open",
    file: "src/server/http-server.ts",
    replace: { "for (const res of pending) res.shouldKeepAlive = false;": "", "if (isStopping) req.socket.end();": "" },
    tests: stop,
  },
  {
    name: "a stop does not wait for a mutation under way",
    file: "src/server/http-server.ts",
    replace: { "await closed; clearTimeout(timer);": "void closed.then(() => clearTimeout(timer));" },
    tests: stop,
  },
  {
    name: "a stop breaks all connections at once",
    file: "src/server/http-server.ts",
    replace: { "server.closeIdleConnections(); //": "server.closeAllConnections(); //" },
    tests: stop,
  },
  {
    name: "a stop gives answers no time",
    file: "src/server/http-server.ts",
    replace: { "const graceMs = 10_000": "const graceMs = 100" },
    tests: stop,
  },
];
