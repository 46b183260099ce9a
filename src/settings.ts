/** The settings of the program itself, and their types. A slice adds its own: see slice.ts. config.ts reads them. */
import { z } from "zod";

/** A whole number from `least` to `most`. */
export const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const onOff = z.enum(["on", "off"]).transform((value) => value === "on");
const trueFalse = z.enum(["true", "false"]).transform((value) => value === "true");

/** Each with its default and, as its description, its line in the README's table. */
export const coreSettings = {
  NODE_ENV: z
    .enum(["development", "test", "production"])
    .default("development")
    .describe("`production` demands AUTH_SECRET and PUBLIC_URL, loads no sample and hides GraphiQL"),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must begin with postgresql://")
    .optional()
    .describe("PostgreSQL 15 or later; absent: an embedded one in DATA_DIR"),
  MIGRATE_DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must begin with postgresql://")
    .optional()
    .describe("the same database for its owner, who migrates it; absent: DATABASE_URL"),
  HOST: z.string().min(1).default("127.0.0.1").describe("address to listen on"),
  PORT: whole(0, 65_535).default(4000).describe("port to listen on; taken: the next free one, in development"),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("how clients reach the server; absent: http://HOST:PORT"),
  DATA_DIR: z.string().min(1).default(".lectern").describe("where files, the embedded database and secrets lie"),
  AUTH_SECRET: z
    .string()
    .min(32, "must have at least 32 characters")
    .optional()
    .describe("signs tokens and cursors; absent in development: made and kept in DATA_DIR"),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"])
    .default("info")
    .describe("how much is logged"),
  LOG_FORMAT: z.enum(["pretty", "json"]).optional().describe("absent: `pretty` in development, `json` in production"),
  SIGN_UP: z.enum(["open", "closed"]).default("open").describe("`closed`: only `user create` makes users"),
  PUBLIC_READ: trueFalse.default(false).describe("`true`: strangers may read the shared library"),
  ACCESS_TOKEN_SECONDS: whole(10, 86_400).default(900).describe("life of an access token"),
  REFRESH_TOKEN_SECONDS: whole(60, 31_536_000).default(2_592_000).describe("life of a session that is not used"),
  WRITE_CONNECTIONS: whole(1, 1000).default(10).describe("connections for units of work"),
  WRITE_WAIT_MS: whole(10, 600_000).default(2_000).describe("how long a unit of work waits for one; then `OVERLOADED`"),
  WRITE_QUEUE: whole(0, 100_000)
    .default(400)
    .describe("how many units of work wait for one; more are `OVERLOADED` at once"),
  TRANSACTION_TIMEOUT_MS: whole(100, 600_000).default(10_000).describe("how long a transaction may be open"),
  TRANSACTION_ATTEMPTS: whole(1, 50)
    .default(6)
    .describe("tries of an operation that others collide with; then `CONFLICT`"),
  TRANSACTION_RETRY_MS: whole(0, 600_000).default(5_000).describe("time within which another try may begin"),
  LOCK_TIMEOUT_MS: whole(10, 600_000)
    .default(3_000)
    .describe("how long a statement waits for rows that others hold; then `CONFLICT`"),
  STATEMENT_TIMEOUT_MS: whole(100, 600_000).default(5_000).describe("how long one statement may run"),
  IDEMPOTENCY_HOURS: whole(1, 8_760).default(24).describe("how long an answer to an `Idempotency-Key` is kept"),
  READ_CONNECTIONS: whole(1, 100).default(2).describe("pipelined connections for queries"),
  READ_DEPTH: whole(10, 100_000)
    .default(1_000)
    .describe("statements under way on one of them; beyond that `OVERLOADED`"),
  EAGER_PLAN: onOff.default(true).describe("`off`: queries are batched level by level instead of planned"),
  EAGER_PLAN_TIMEOUT_MS: whole(1, 60_000).default(1_000).describe("how long a query waits for its plan"),
  MAX_QUERY_COST: whole(10, 10_000_000)
    .default(5_000)
    .describe("objects that a query may ask for, page sizes multiplied"),
  QUERY_COST_TOGETHER: whole(10, 10_000_000)
    .default(1_000)
    .describe("objects that queries under way may ask for together; others wait for their turn, if they are not cheap"),
  QUERY_WAIT_MS: whole(0, 600_000).default(2_000).describe("how long a query waits for its turn; then `OVERLOADED`"),
  MAX_QUERY_DEPTH: whole(2, 100).default(12).describe("levels of a query"),
  MAX_QUERY_TOKENS: whole(100, 100_000).default(1_000).describe("tokens of a query's text"),
  MAX_QUERY_CHARACTERS: whole(1_000, 10_000_000)
    .default(250_000)
    .describe("characters of a query's text; long texts go into variables"),
  MAX_VARIABLE_VALUES: whole(100, 1_000_000)
    .default(10_000)
    .describe("list items and object fields in the variables of a request"),
  MAX_EVENT_LOOP_DELAY_MS: whole(10, 600_000)
    .default(100)
    .describe("how late the event loop may be for a quarter of a second; then part of the operations is `OVERLOADED`"),
  MAX_JSON_BYTES: whole(1_000, 100_000_000)
    .default(1_000_000)
    .describe("size of a request without files; a longer text comes as a file"),
  UPLOAD_WAIT_MS: whole(0, 600_000)
    .default(30_000)
    .describe("how long an operation waits until there is memory for its files; then `OVERLOADED`"),
  OUTBOX_HOURS: whole(1, 8_760)
    .default(24)
    .describe("how long changes are kept for watchers who come back; a cursor that is older is refused"),
  WATCHES: whole(1, 100_000).default(1_000).describe("subscriptions open at once; beyond that `OVERLOADED`"),
  WATCHES_PER_USER: whole(1, 10_000).default(50).describe("of them, those of one user"),
  WATCH_EVENTS: whole(10, 1_000_000)
    .default(5_000)
    .describe("changes held in memory for watchers; who falls further behind is dropped with `OVERLOADED`"),
  FILE_GRACE_MS: whole(0, 604_800_000)
    .optional()
    .describe("how long a file may be in DATA_DIR without its document; absent: 60 s and the longest operation"),
  CRASH_AT: z
    .enum([
      "begin",
      "statement",
      "before_commit",
      "after_commit",
      "before_answer",
      "after_part_write",
      "after_fsync",
      "after_rename",
      "before_unlink",
      "after_unlink",
    ])
    .optional()
    .describe("for tests: the process kills itself when a transaction or a file first comes to this point"),
  WORKERS: whole(0, 64).default(1).describe("documents processed at once in the server; 0: only by `npm run worker`"),
  WORKER_LEASE_MS: whole(1_000, 3_600_000)
    .default(30_000)
    .describe("how long a worker may be silent before its document is given to another"),
  WORKER_TIMEOUT_MS: whole(1_000, 3_600_000).default(120_000).describe("how long one document may take"),
  WORKER_MEMORY_MB: whole(160, 16_384).default(1_024).describe("memory that one document may take"),
  WORKER_ATTEMPTS: whole(1, 100).default(5).describe("tries before a document is FAILED"),
};

/** By the name of the environment variable. */
export type Settings = Record<string, z.ZodType>;

/** The values of the slices' settings. Each slice adds its own by declaration merging. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the slices.
export interface SliceSettings {}

export type CoreValues = z.output<z.ZodObject<typeof coreSettings>>;

export type Config = Readonly<
  Omit<CoreValues, "AUTH_SECRET" | "LOG_FORMAT" | "FILE_GRACE_MS"> &
    SliceSettings & {
      AUTH_SECRET: string;
      LOG_FORMAT: "pretty" | "json";
      isProduction: boolean;
      FILE_GRACE_MS: number;
      /** The folder of the file store. */
      filesDir: string;
    }
>;
