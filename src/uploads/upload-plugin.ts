/** Uploads: who may send files at all is asked before a byte of them is read, and what nobody kept is removed. */
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
  /** How long an operation waits until there is memory for its files. */
  waitMs: number;
  isSignedIn: (request: Request) => Promise<boolean>;
  logger: Logger;
};

/** What the plugin finds beside a request: its body, and a list of what is done when the request has ended. */
export type UploadContext = { req: IncomingMessage; atEnd: (() => unknown)[] };

export const isMultipart = (contentType: string | null | undefined): boolean =>
  /^\s*multipart\/form-data/i.test(contentType ?? "");

/** Operations work on as many bytes of files at once as so many of the largest files have. */
const filesAtOnce = 2;

export function useUploads({
  store,
  limits,
  waitMs,
  isSignedIn,
  logger,
}: UploadOptions): Plugin<object, UploadContext> {
  const memory = new Budget({
    total: filesAtOnce * limits.maxFileBytes,
    waitMs,
    refusal: () =>
      new ApplicationError("OVERLOADED", "Too many files are being taken in: send them again in a moment."),
  });
  return {
    async onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method !== "POST" || !isMultipart(request.headers.get("content-type"))) return;
      if (!(await isSignedIn(request))) throw refusal("UNAUTHENTICATED", 401, "Sign in before you send files.");
      const { req, atEnd } = serverContext as UploadContext;
      setRequestParser(async () => {
        const staged: StagedFile[] = [];
        let [isEnded, giveBack] = [false, () => {}];
        atEnd.push(async () => {
          isEnded = true;
          giveBack();
          for (const file of staged) {
            // Kept files are not staged any more. The sweep removes a file that stays: the answer stands.
            await store
              .discard(file)
              .catch((error) => logger.warn({ err: error }, "a staged file could not be removed; the sweep will"));
          }
        });
        const parameters = await receiveMultipart(req, store, limits, staged);
        giveBack = await memory.take(staged.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
        if (isEnded) giveBack();
        return parameters;
      });
    },
  };
}
