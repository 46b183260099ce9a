/** Errors of S3 and of the network on the way to it, as the errors of file stores. */
import { FileMissingError, FileStoreError, type StoreTrouble } from "./file-store.ts";

type S3Failure = Error & {
  code?: string;
  /** On errors of the service, and of the client while it waits for the service. */
  $metadata?: { httpStatusCode?: number; requestId?: string };
};

/** Codes of Amazon, Ceph and MinIO. */
const fullCodes = new Set([
  "QuotaExceeded",
  "XMinioStorageFull",
  "XMinioAdminBucketQuotaExceeded",
  "InsufficientStorage",
]);
/** The service restarts, is overloaded, or the network fails. A host name that does not exist is a setting. */
const passingCodes = new Set([
  "SlowDown",
  "RequestTimeout",
  "TimeoutError",
  "AbortError",
  "Truncated",
  // The bytes have changed on the way.
  "BadDigest",
  "XAmzContentSHA256Mismatch",
  "OperationAborted",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

/**
 * Runs a request and converts its errors. Those of a bug or of a source of bytes pass unchanged.
 *
 * @param path for the log
 * @param key of a file that may be missing without a failure of the store
 */
export async function askS3<Result>(path: string, work: () => Promise<Result>, key?: string): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw storeErrorOf(error, path, key);
  }
}

/** @returns the error itself if it is not one of the service or the network */
export function storeErrorOf(error: unknown, path: string, key?: string): unknown {
  if (!isOfService(error)) return error;
  const { $metadata: { httpStatusCode: status, requestId } = {} } = error;
  // An answer to HEAD has no body with a code.
  const code = error.code ?? (/^Unknown/.test(error.name) ? `HTTP ${status}` : error.name);
  if (key !== undefined && isMissing(error)) return new FileMissingError(key, error);
  // The service's own error may quote the request with its credentials.
  const cause = Object.assign(new Error(error.message), {
    code,
    ...(status && { status }),
    ...(requestId && { requestId }),
  });
  return new FileStoreError(path, cause, troubleOf(code, status));
}

export const isMissing = (error: unknown) => error instanceof Error && ["NoSuchKey", "NotFound"].includes(error.name);

const isOfService = (error: unknown): error is S3Failure =>
  error instanceof Error &&
  !(error instanceof FileStoreError || error instanceof FileMissingError) &&
  ("$metadata" in error ||
    "syscall" in error ||
    passingCodes.has(String((error as S3Failure).code ?? error.name)) ||
    error.name === "CredentialsProviderError");

function troubleOf(code: string, status = 0): StoreTrouble {
  if (fullCodes.has(code) || status === 507) return "full";
  return passingCodes.has(code) || status >= 500 || status === 429 ? "passing" : "unavailable";
}
