/** Uploads: authenticates before the body is read; discards files that nothing kept. */
import type { IncomingMessage } from "node:http";
import type { Plugin } from "graphql-yoga";
import type { Logger } from "pino";
import { ApplicationError } from "../errors.ts";
import { Budget } from "../processing/budget.ts";
import type { FileStore, StagedFile } from "../storage/file-store.ts";
import { receiveMultipart, refusal, type UploadLimits } from "./multipart.ts";

export type UploadOptions = {
  store: FileStore;
  limits: UploadLimits;
  /** Timeout of an operation that waits for memory. */
  waitMs: number;
  isSignedIn: (request: Request) => Promise<boolean>;
  logger: Logger;
};

/** `req`: the body of the request. `atEnd`: functions that run after the request. */
export type UploadContext = { req: IncomingMessage; atEnd: (() => unknown)[] };

export const isMultipart = (contentType: string | null | undefined): boolean =>
  /^\s*multipart\/form-data/i.test(contentType ?? "");

/** Memory budget of concurrent uploads, in multiples of the largest file. */
const maxConcurrentFiles = 2;

export function useUploads({
  store,
  limits,
  waitMs,
  isSignedIn,
  logger,
}: UploadOptions): Plugin<object, UploadContext> {
  const memory = new Budget({
    total: maxConcurrentFiles * limits.maxFileBytes,
    waitMs,
    refusal: () => new ApplicationError("OVERLOADED", "Too many files are being uploaded: retry in a moment."),
  });
  return {
    async onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method !== "POST" || !isMultipart(request.headers.get("content-type"))) return;
      if (!(await isSignedIn(request))) throw refusal("UNAUTHENTICATED", 401, "Sign in before you send files.");
      const { req, atEnd } = serverContext as UploadContext;
      setRequestParser(async () => {
        const staged: StagedFile[] = [];
        let [isEnded, release] = [false, () => {}];
        atEnd.push(async () => {
          isEnded = true;
          release();
          for (const file of staged) {
            // No effect on kept files. A failure does not change the response: the sweep removes the file later.
            await store
              .discard(file)
              .catch((error) => logger.warn({ err: error }, "a staged file could not be removed; the sweep will"));
          }
        });
        const parameters = await receiveMultipart(req, store, limits, staged);
        release = await memory.take(staged.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
        if (isEnded) release();
        return parameters;
      });
    },
  };
}
