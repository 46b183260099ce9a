/** Uploads: who may send files at all is asked before a byte of them is read, and what nobody kept is removed. */
import type { IncomingMessage } from "node:http";
import type { Plugin } from "graphql-yoga";
import { ApplicationError } from "../errors.ts";
import type { FileStore, StagedFile } from "../storage/file-store.ts";
import { receiveMultipart, refusal, type UploadLimits } from "./multipart.ts";

export type UploadOptions = {
  store: FileStore;
  limits: UploadLimits;
  /** How long an operation waits until there is memory for its files. */
  waitMs: number;
  isSignedIn: (request: Request) => Promise<boolean>;
};

/** What the plugin finds beside a request: its body, and a list of what is done when the request has ended. */
export type UploadContext = { req: IncomingMessage; atEnd: (() => unknown)[] };

export const isMultipart = (contentType: string | null | undefined): boolean =>
  /^\s*multipart\/form-data/i.test(contentType ?? "");

/** Operations work on as many bytes of files at once as so many of the largest files have. */
const filesAtOnce = 2;

export function useUploads({ store, limits, waitMs, isSignedIn }: UploadOptions): Plugin<object, UploadContext> {
  const budget = new ByteBudget(filesAtOnce * limits.maxFileBytes, waitMs);
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
          // What the operation has kept is not staged any more.
          for (const file of staged) await store.discard(file);
        });
        const parameters = await receiveMultipart(req, store, limits, staged);
        giveBack = await budget.take(staged.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
        if (isEnded) giveBack();
        return parameters;
      });
    },
  };
}

/**
 * Bounds the memory for files while operations run: a text is held whole then. Everybody waits here, with all files on
 * disk and before any transaction begins, and takes all that is needed at once; so nobody who waits is waited for.
 */
export class ByteBudget {
  readonly #total: number;
  readonly #waitMs: number;
  readonly #waiting = new Set<{ bytes: number; begin: () => void }>();
  #free: number;

  constructor(total: number, waitMs: number) {
    this.#total = total;
    this.#waitMs = waitMs;
    this.#free = total;
  }

  /**
   * Waits for its turn, and until so many bytes are free. Who needs more than there are works alone.
   *
   * @returns how to give them back
   * @throws ApplicationError OVERLOADED when that takes too long
   */
  async take(needed: number): Promise<() => void> {
    const bytes = Math.min(needed, this.#total);
    await new Promise<void>((begun, failed) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(place);
        failed(new ApplicationError("OVERLOADED", "Too many files are being taken in: send them again in a moment."));
        // It may have kept smaller ones from theirs.
        this.#begin();
      }, this.#waitMs);
      const begin = () => {
        clearTimeout(timer);
        begun();
      };
      const place = { bytes, begin };
      this.#waiting.add(place);
      this.#begin();
    });
    return () => {
      this.#free += bytes;
      this.#begin();
    };
  }

  #begin(): void {
    for (const place of this.#waiting) {
      if (place.bytes > this.#free) return;
      this.#waiting.delete(place);
      this.#free -= place.bytes;
      place.begin();
    }
  }
}
