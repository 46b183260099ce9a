/** Uploads in multipart requests: refuses before files are read; discards files that nothing kept. */
import type { IncomingMessage } from "node:http";
import type { Plugin } from "graphql-yoga";
import type { Logger } from "pino";
import type { FileStore, StagedFile } from "../storage/file-store.ts";
import type { Viewer } from "../viewer.ts";
import { receiveMultipart } from "./multipart.ts";
import { fileLimitsOf, type QueryLimits, refusal, type UploadRules } from "./upload-rules.ts";

export type UploadOptions = {
  store: FileStore;
  rules: UploadRules;
  limits: QueryLimits & {
    /** Bytes of `operations` and of `map`. */
    maxFieldBytes: number;
  };
  viewerOf: (request: Request) => Promise<Viewer>;
  requireRoom: RequireRoom;
  logger: Logger;
};

/**
 * Refuses files for which the viewer has no room, before they are read. Called with the least number of bytes that will
 * come; 0 if it is unknown.
 *
 * @throws ApplicationError
 */
export type RequireRoom = (viewer: NonNullable<Viewer>, bytes: number) => Promise<void>;

/** `req`: the body of the request. `atEnd`: functions that run after the request. */
export type UploadContext = { req: IncomingMessage; atEnd: (() => unknown)[] };

export const isMultipart = (contentType: string | null | undefined): boolean =>
  /^\s*multipart\/form-data/i.test(contentType ?? "");

export function useUploads({
  store,
  rules,
  limits,
  viewerOf,
  requireRoom,
  logger,
}: UploadOptions): Plugin<object, UploadContext> {
  return {
    async onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method !== "POST" || !isMultipart(request.headers.get("content-type"))) return;
      const viewer = await viewerOf(request);
      if (!viewer) throw refusal("UNAUTHENTICATED", 401, "Sign in before you send files.");
      const { req, atEnd } = serverContext as UploadContext;
      setRequestParser(async () => {
        const staged: StagedFile[] = [];
        atEnd.push(async () => {
          for (const file of staged) {
            // No effect on kept files. A failure does not change the response: the sweep removes the file later.
            await store
              .discard(file)
              .catch((error) => logger.warn({ err: error }, "a staged file could not be removed; the sweep will"));
          }
        });
        const options = {
          store,
          ...limits,
          limitsOf: (operations: object) => fileLimitsOf(operations, { rules, viewer, limits }),
          requireRoom: (bytes: number) => requireRoom(viewer, bytes),
        };
        return receiveMultipart(req, options, staged);
      });
    },
  };
}
