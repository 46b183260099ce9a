/**
 * A server in a process of its own whose mutations stop for ever at the point that is its only parameter, so that a
 * test can kill it while several are there. It says on standard output where it listens, and who has stopped:
 *
 *     listening http://127.0.0.1:40123/graphql
 *     halted KillCreateDocument
 */
import { openApplication } from "../../src/application.ts";
import { readConfig } from "../../src/config.ts";
import { silent as logger } from "./logs.ts";

const [fatal] = process.argv.slice(2);
const config = readConfig();
const application = await openApplication(config, {
  url: config.DATABASE_URL as string,
  publicUrl: config.PUBLIC_URL as string,
  logger,
  probe(point, name) {
    // Only what the test sends: the server's own units of work have names of another form.
    if (point !== fatal || !name.startsWith("Kill")) return;
    console.log(`halted ${name}`);
    return new Promise(() => {});
  },
});
// It would remove files of the rows that are deleted, if it gets that far before the kill.
await application.housekeeping.stop();
const { port } = await application.listen({ host: "127.0.0.1", port: 0, mayMovePort: false });
console.log(`listening http://127.0.0.1:${port}/graphql`);
