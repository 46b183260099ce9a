/**
 * A whole Lectern for a test file: its own database, the server on a free port, a worker, and people who use it
 * through the generated client. Each step hands back what the next one needs, so that a test reads as a story.
 */
import { ClientError, GraphQLClient } from "graphql-request";
import { pino } from "pino";
import { type Application, openApplication } from "../../src/application.ts";
import { readConfig } from "../../src/config.ts";
import type { Role } from "../../src/database/generated/prisma/enums.ts";
import { urlAs } from "../../src/postgres/roles.ts";
import type { RunningWorker } from "../../src/processing/work-queue.ts";
import type { Config } from "../../src/settings.ts";
import type { Slice } from "../../src/slice.ts";
import { slices as allSlices } from "../../src/slices.ts";
import type { Probe } from "../../src/unit-of-work/transaction-guard.ts";
import { startWorkers } from "../../src/worker-process.ts";
import { graphql } from "./client/generated/gql.ts";
import type { CreateDocumentInput } from "./client/generated/graphql.ts";
import type { TestDatabase } from "./database.ts";
import { freshDatabase } from "./fresh-database.ts";
import { secret } from "./secret.ts";

export type Lectern = {
  url: string;
  config: Config;
  application: Application;
  database: TestDatabase;
  /** A client that is not signed in, or with headers of your own. */
  client(headers?: Record<string, string>): GraphQLClient;
  /** Somebody new, signed up and signed in. */
  person(name?: string, role?: Role): Promise<Person>;
  /** Waits until no document and no audio is PENDING or PROCESSING. */
  settled(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
};

export type Person = {
  id: string;
  name: string;
  email: string;
  accessToken: string;
  refreshToken: string;
  client: GraphQLClient;
  /** The same person's client with more headers, such as `Lectern-Trace: 1`. */
  with(headers: Record<string, string>): GraphQLClient;
  document(input?: Partial<CreateDocumentInput> & { text?: string }): Promise<{ id: string; version: number }>;
};

export type LecternOptions = {
  /** Settings as the environment would say them. */
  settings?: Record<string, string>;
  /** Default: no worker, so that documents stay PENDING. */
  worker?: boolean;
  /** Default: as in production. Without it nothing but the test's own operations begins a transaction. */
  housekeeping?: boolean;
  /** The address at which clients reach it. */
  publicUrl?: string;
  /** Default: those of the program. */
  slices?: readonly Slice[];
  /** The database of another Lectern, to run a second server on it; it is then not dropped. */
  database?: TestDatabase;
  /** Told of every point of every transaction; makes the work fail or wait there. */
  probe?: Probe;
  /** Is given every line of the server's log, from `debug` up. */
  log?: (line: Record<string, unknown>) => void;
};

/** Counted over all servers of a test file, which may share a database. */
let people = 0;

export async function startLectern(options: LecternOptions = {}): Promise<Lectern> {
  const database = options.database ?? (await freshDatabase());
  const settings = {
    NODE_ENV: "test",
    AUTH_SECRET: secret,
    LOG_LEVEL: "silent",
    // Servers of one database share its files.
    DATA_DIR: database.dataDir,
    // Tests share the event loop with the server, and the machine with other tests.
    MAX_EVENT_LOOP_DELAY_MS: "600000",
    QUERY_WAIT_MS: "600000",
    WRITE_WAIT_MS: "60000",
    EAGER_PLAN_TIMEOUT_MS: "60000",
  };
  const { log, probe, publicUrl = "http://lectern.test", slices = allSlices } = options;
  const config = readConfig({ ...settings, ...options.settings }, slices);
  const logger = log
    ? pino({ level: "debug" }, { write: (line) => log(JSON.parse(line)) })
    : pino({ level: config.LOG_LEVEL });
  const serverUrl = urlAs(database.url, "lectern_server");
  const application = await openApplication(config, { url: serverUrl, publicUrl, logger, probe, slices });
  if (options.housekeeping === false) await application.housekeeping.stop();
  let worker: RunningWorker | undefined;
  if (options.worker) {
    worker = await startWorkers(config, { url: urlAs(database.url, "lectern_worker"), slots: 1, logger, slices });
  }
  const server = await application.listen({ host: "127.0.0.1", port: 0, mayMovePort: false });
  const url = `http://127.0.0.1:${server.port}/graphql`;
  const client = (headers: Record<string, string> = {}) => new GraphQLClient(url, { headers });

  return {
    url,
    config,
    application,
    database,
    client,
    async person(name = `Person ${people + 1}`, role: Role = "VIEWER") {
      const email = `person-${++people}-${process.pid}@lectern.test`;
      const { signUp } = await client().request(SignUp, { input: { email, name, password: "a good password" } });
      if (role !== "VIEWER") {
        await database.query("update users set role = $1::role where email = $2", [role, email]);
        application.viewers.forget();
      }
      const { accessToken, refreshToken, user } = signUp;
      const authorized = (headers: Record<string, string> = {}) =>
        client({ authorization: `Bearer ${accessToken}`, ...headers });
      return {
        id: user.id,
        name,
        email,
        accessToken,
        refreshToken,
        client: authorized(),
        with: authorized,
        async document({ text, ...input } = {}) {
          const source = { text: text ?? `The text of a document, number ${Math.random()}.` };
          const { createDocument } = await authorized().request(CreateDocument, { input: { source, ...input } });
          return createDocument.document;
        },
      };
    },
    async settled(timeoutMs = 50_000) {
      const until = Date.now() + timeoutMs;
      while (Date.now() < until) {
        const open = await database.query(`
          select 1 from documents where status in ('PENDING', 'PROCESSING')
          union all select 1 from audio where status in ('PENDING', 'PROCESSING') limit 1`);
        if (open.length === 0) return;
        await new Promise((resume) => setTimeout(resume, 50));
      }
      throw new Error(`Documents or audio were still open after ${timeoutMs} ms.`);
    },
    async stop() {
      await server.stop();
      await worker?.stop();
      await application.close();
      if (!options.database) await database.drop();
    },
  };
}

const SignUp = graphql(`
  mutation SignUp($input: SignUpInput!) {
    signUp(input: $input) {
      accessToken
      refreshToken
      user { id }
    }
  }
`);

const CreateDocument = graphql(`
  mutation CreateDocument($input: CreateDocumentInput!) {
    createDocument(input: $input) {
      isDuplicate
      document { id version }
    }
  }
`);

/** The errors of a request that must fail; fails when it does not. */
export async function errorsOf(request: Promise<unknown>): Promise<ShownError[]> {
  try {
    await request;
  } catch (error) {
    if (error instanceof ClientError) return (error.response.errors ?? []) as unknown as ShownError[];
    throw error;
  }
  throw new Error("The request was expected to fail, but it succeeded.");
}

export type ShownError = {
  message: string;
  path?: (string | number)[];
  extensions: { code: string; inputPath?: string[]; requestId?: string } & Record<string, unknown>;
};
