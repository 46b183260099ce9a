/** General settings and their types. Slices add their own (slice.ts); config.ts reads them. */
import { z } from "zod";

/** A whole number from `least` to `most`. */
export const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const onOff = z.enum(["on", "off"]).transform((value) => value === "on");
const trueFalse = z.enum(["true", "false"]).transform((value) => value === "true");

/** Descriptions equal the column "meaning" of the README's table. */
export const coreSettings = {
  NODE_ENV: z
    .enum(["development", "test", "production"])
    .default("development")
    .describe("`production` requires AUTH_SECRET and PUBLIC_URL, loads no sample library and disables GraphiQL"),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must begin with postgresql://")
    .optional()
    .describe("PostgreSQL 15 or later; unset: an embedded one in DATA_DIR"),
  MIGRATE_DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must begin with postgresql://")
    .optional()
    .describe("the same database, with the login of its owner, for migrations; unset: DATABASE_URL"),
  HOST: z.string().min(1).default("127.0.0.1").describe("address to listen on"),
  PORT: whole(0, 65_535).default(4000).describe("port to listen on; if it is taken, the next free one in development"),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("address of the server for clients; unset: http://HOST:PORT"),
  DATA_DIR: z.string().min(1).default(".lectern").describe("folder of files, the embedded database and secrets"),
  STORAGE_URL: z
    .string()
    .regex(/^s3:\/\//, "must begin with s3://")
    .optional()
    .describe(
      "S3 or a compatible service for files: `s3://bucket/prefix?region=…&endpoint=https://…&pathStyle=true`; unset: DATA_DIR",
    ),
  STORAGE_DELIVERY: z
    .enum(["stream", "redirect"])
    .default("stream")
    .describe("`redirect`: clients download files from S3 by themselves; `stream`: from the server"),
  AWS_ACCESS_KEY_ID: z.string().optional().describe("login for S3; unset: the machine's own role or profile"),
  AWS_SECRET_ACCESS_KEY: z.string().optional().describe("its password"),
  AWS_SESSION_TOKEN: z.string().optional().describe("its session, for a login that expires"),
  AUTH_SECRET: z
    .string()
    .min(32, "must have at least 32 characters")
    .optional()
    .describe("signs tokens, cursors and addresses of files; unset in development: generated and kept in DATA_DIR"),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"])
    .default("info")
    .describe("lowest level that is logged"),
  LOG_FORMAT: z.enum(["pretty", "json"]).optional().describe("unset: `pretty` in development, `json` in production"),
  SIGN_UP: z.enum(["open", "closed"]).default("open").describe("`closed`: only `user create` makes users"),
  PUBLIC_READ: trueFalse.default(false).describe("`true`: strangers may read the shared library"),
  ACCESS_TOKEN_SECONDS: whole(10, 86_400).default(900).describe("lifetime of an access token"),
  REFRESH_TOKEN_SECONDS: whole(60, 31_536_000)
    .default(2_592_000)
    .describe("lifetime of a session that is not refreshed"),
  FILE_URL_SECONDS: whole(60, 2_592_000)
    .default(43_200)
    .describe("lifetime of an address of a file; up to a quarter longer"),
  WRITE_CONNECTIONS: whole(1, 1000).default(10).describe("connections for units of work"),
  WRITE_WAIT_MS: whole(10, 600_000)
    .default(2_000)
    .describe("timeout of a unit of work for a connection; then `OVERLOADED`"),
  WRITE_QUEUE: whole(0, 100_000)
    .default(400)
    .describe("units of work that may wait for a connection; further ones are `OVERLOADED` at once"),
  TRANSACTION_TIMEOUT_MS: whole(100, 600_000).default(10_000).describe("timeout of a transaction"),
  TRANSACTION_ATTEMPTS: whole(1, 50)
    .default(6)
    .describe("attempts of an operation on serialization failures and deadlocks; then `CONFLICT`"),
  TRANSACTION_RETRY_MS: whole(0, 600_000).default(5_000).describe("time within which a further attempt may begin"),
  LOCK_TIMEOUT_MS: whole(10, 600_000).default(3_000).describe("timeout of a statement for a lock; then `CONFLICT`"),
  STATEMENT_TIMEOUT_MS: whole(100, 600_000).default(5_000).describe("timeout of a statement"),
  IDEMPOTENCY_HOURS: whole(1, 8_760).default(24).describe("how long the response to an `Idempotency-Key` is kept"),
  READ_CONNECTIONS: whole(1, 100).default(2).describe("pipelined connections for queries"),
  READ_DEPTH: whole(10, 100_000)
    .default(1_000)
    .describe("statements in flight on one of them; further ones are `OVERLOADED`"),
  EAGER_PLAN: onOff.default(true).describe("`off`: queries are batched level by level instead of planned"),
  EAGER_PLAN_TIMEOUT_MS: whole(1, 60_000)
    .default(1_000)
    .describe("timeout of a query for its plan; then it is batched level by level"),
  MAX_QUERY_COST: whole(10, 10_000_000)
    .default(5_000)
    .describe("objects that an operation may read, page sizes multiplied"),
  QUERY_COST_TOGETHER: whole(10, 10_000_000)
    .default(1_000)
    .describe(
      "objects that concurrent queries may read together; further queries wait for their turn, unless they are cheap",
    ),
  QUERY_WAIT_MS: whole(0, 600_000).default(2_000).describe("timeout of a query for its turn; then `OVERLOADED`"),
  MAX_QUERY_DEPTH: whole(2, 100).default(12).describe("levels of an operation"),
  MAX_QUERY_TOKENS: whole(100, 100_000).default(1_000).describe("tokens of a query text"),
  MAX_QUERY_CHARACTERS: whole(1_000, 10_000_000)
    .default(250_000)
    .describe("characters of a query text; send long texts in variables"),
  MAX_VARIABLE_VALUES: whole(100, 1_000_000)
    .default(10_000)
    .describe("list items and object fields in the variables of a request"),
  MAX_EVENT_LOOP_DELAY_MS: whole(10, 600_000)
    .default(100)
    .describe("event loop delay over a quarter of a second from which on a share of the operations is `OVERLOADED`"),
  MAX_JSON_BYTES: whole(1_000, 100_000_000)
    .default(1_000_000)
    .describe("size of a request without files; send a longer text as a file"),
  UPLOAD_WAIT_MS: whole(0, 600_000)
    .default(30_000)
    .describe("timeout of an operation for the memory of its files; then `OVERLOADED`"),
  UPLOAD_HOURS: whole(1, 8_760)
    .default(24)
    .describe("how long a resumable upload is kept after its last byte, until an operation uses it"),
  UPLOADS_PER_USER: whole(1, 10_000).default(20).describe("resumable uploads of one user that no operation has used"),
  UPLOAD_BYTES_PER_USER: whole(1, 1_000_000_000_000)
    .default(2_000_000_000)
    .describe("announced size of these uploads together"),
  OUTBOX_HOURS: whole(1, 8_760)
    .default(24)
    .describe("how long changes are kept for subscriptions that resume; older cursors are refused"),
  WATCHES: whole(1, 100_000).default(1_000).describe("open subscriptions; further ones are `OVERLOADED`"),
  WATCHES_PER_USER: whole(1, 10_000).default(50).describe("open subscriptions of one user"),
  WATCH_EVENTS: whole(10, 1_000_000)
    .default(5_000)
    .describe("changes held in memory for subscriptions; a client that falls further behind is `OVERLOADED`"),
  FILE_GRACE_MS: whole(0, 604_800_000)
    .optional()
    .describe("age from which on a file that no row names is swept; unset: 60 s plus the longest operation"),
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
    .describe("for tests: the process kills itself when a transaction or a file first reaches this point"),
  WORKERS: whole(0, 64)
    .default(1)
    .describe("documents, and as many audio, processed concurrently in the server; 0: only by `npm run worker`"),
  WORKER_LEASE_MS: whole(1_000, 3_600_000)
    .default(30_000)
    .describe("lease of a claim: without a heartbeat for this long, the row goes to another worker"),
  WORKER_TIMEOUT_MS: whole(1_000, 3_600_000).default(120_000).describe("timeout of the processing of a document"),
  WORKER_MEMORY_MB: whole(160, 16_384).default(1_024).describe("memory limit of one document or audio"),
  WORKER_ATTEMPTS: whole(1, 100).default(5).describe("attempts before a row is FAILED"),
};

/** Settings by the names of their environment variables. */
export type Settings = Record<string, z.ZodType>;

/** The values of the slices' settings, which each slice adds by declaration merging. */
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
      /** The folder of staged files, and of kept files unless STORAGE_URL is set. */
      filesDir: string;
      /** Milliseconds that a kept file may be old when an operation names it, and be young enough until the operation ends. */
      fileMarginMs: number;
    }
>;
