/**
 * A server in a process of its own whose mutations stop for ever at the point that is its only parameter, so that a
 * test can kill it while several are there. It says on standard output where it listens, and who has stopped:
 *
 *     listening http://127.0.0.1:40123/graphql
 *     halted KillCreateDocument
 */
import { pino } from "pino";
import { compose } from "../../src/composition.ts";
import { readConfig } from "../../src/config.ts";
import { startHttpServer } from "../../src/server/http-server.ts";

const [fatal] = process.argv.slice(2);
const config = readConfig();
const logger = pino({ level: "silent" });
const application = compose(
  config,
  config.DATABASE_URL as string,
  config.PUBLIC_URL as string,
  logger,
  (point, name) => {
    // Only what the test sends: the server's own units of work have names of another form.
    if (point !== fatal || !name.startsWith("Kill")) return;
    console.log(`halted ${name}`);
    return new Promise(() => {});
  },
);
const { port } = await startHttpServer({
  graphql: application.graphql,
  host: "127.0.0.1",
  port: 0,
  mayMovePort: false,
  maxBodyBytes: { json: config.MAX_JSON_BYTES, upload: config.MAX_DOCUMENT_BYTES },
  load: application.load,
  ready: application.readiness,
  endSubscriptions: () => application.changes.stop(),
  logger,
});
console.log(`listening http://127.0.0.1:${port}/graphql`);
