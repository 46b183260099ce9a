/** Uploads: who may send files at all is asked before a byte of them is read, and what nobody kept is removed. */
import type { IncomingMessage } from "node:http";
import type { Plugin } from "graphql-yoga";
import type { FileStore, StagedFile } from "../storage/file-store.ts";
import { receiveMultipart, refusal, type UploadLimits } from "./multipart.ts";

export type UploadOptions = {
  store: FileStore;
  limits: UploadLimits;
  isSignedIn: (request: Request) => Promise<boolean>;
};

/** What the plugin finds beside a request: its body, and where its files are noted. */
export type UploadContext = { req: IncomingMessage; staged: StagedFile[] };

export const isMultipart = (contentType: string | null | undefined): boolean =>
  /^\s*multipart\/form-data/i.test(contentType ?? "");

export function useUploads({ store, limits, isSignedIn }: UploadOptions): Plugin<object, UploadContext> {
  return {
    async onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method !== "POST" || !isMultipart(request.headers.get("content-type"))) return;
      if (!(await isSignedIn(request))) throw refusal("UNAUTHENTICATED", 401, "Sign in before you send files.");
      const { req, staged } = serverContext as UploadContext;
      setRequestParser(() => receiveMultipart(req, store, limits, staged));
    },
  };
}
