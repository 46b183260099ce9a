/**
 * Subscribers for tests: over server-sent events, read by hand so that a test can stop reading, and over WebSocket with
 * the client of graphql-ws.
 */
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import type { ShownError } from "./lectern.ts";
import { post } from "./post.ts";

export type DocumentChange = {
  cursor: string;
  deletedId: string | null;
  document: { id: string; title: string; status: string; version: number; progress: number } | null;
};

export type WatchResult<Data> = { data?: Data | null; errors?: ShownError[]; extensions?: Record<string, unknown> };

export type Watch<Data> = {
  /** What came so far. */
  results: WatchResult<Data>[];
  /** Waits for a result. */
  next(): Promise<WatchResult<Data>>;
  /** How it ended: by `complete`, or by a broken connection. */
  ended: Promise<"complete" | "broken">;
  /** Ends it from the client's side, without a goodbye. */
  close(): void;
};

export const watchDocuments = `
  subscription WatchDocuments($id: ID, $after: String) {
    documentChanged(id: $id, after: $after) {
      cursor
      deletedId
      document { id title status version progress }
    }
  }
`;

type Documents = { documentChanged: DocumentChange };
export type Subscribing = {
  query?: string;
  variables?: Record<string, unknown>;
  accessToken?: string;
  headers?: Record<string, string>;
};

const patienceMs = 10_000;

/** Resolves when the server has subscribed. Fails with the answer when it has not. */
export async function watchBySse<Data = Documents>(url: string, subscribing: Subscribing = {}): Promise<Watch<Data>> {
  const { query = watchDocuments, variables, accessToken, headers } = subscribing;
  const abort = new AbortController();
  const response = await post(url, {
    query,
    variables,
    accessToken,
    headers: { accept: "text/event-stream", ...headers },
    signal: abort.signal,
  });
  if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) {
    throw new Error(`No stream, but ${response.status} ${await response.text()}`);
  }
  const watch = collector<Data>(() => abort.abort());
  void (async () => {
    let rest = "";
    try {
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const messages = (rest + chunk).split("\n\n");
        rest = messages.pop() ?? "";
        for (const message of messages) {
          if (message.startsWith("event: complete")) watch.end("complete");
          const data = /^data: (.+)$/m.exec(message)?.[1];
          if (data) watch.add(JSON.parse(data));
        }
      }
    } catch {
      // Whatever broke it, it is over.
    }
    watch.end("broken");
  })();
  return watch;
}

export type SocketOptions = Subscribing & {
  connectionParams?: Record<string, unknown>;
  /** Of the handshake: `origin`, `cookie`. */
  handshake?: Record<string, string>;
};

/** Resolves at once: the protocol has no word for a subscription that has begun. `closed` tells the code. */
export function watchByWebSocket<Data = Documents>(
  url: string,
  { query = watchDocuments, variables, accessToken, connectionParams, handshake }: SocketOptions = {},
): Watch<Data> & { closed: Promise<{ code: number; reason: string }> } {
  const closing = Promise.withResolvers<{ code: number; reason: string }>();
  const client = createClient({
    url: url.replace(/^http/, "ws"),
    webSocketImpl: class extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { headers: handshake });
      }
    },
    connectionParams: connectionParams ?? (accessToken ? { authorization: `Bearer ${accessToken}` } : undefined),
    retryAttempts: 0,
    on: { closed: (event) => closing.resolve(event as CloseEvent) },
  });
  const watch = collector<Data>(() => void client.dispose());
  client.subscribe<Data>(
    { query, variables },
    {
      next: (result) => watch.add(result as WatchResult<Data>),
      error: (error) => {
        if (Array.isArray(error)) watch.add({ errors: error });
        watch.end("broken");
      },
      complete: () => watch.end("complete"),
    },
  );
  return { ...watch, closed: closing.promise };
}

function collector<Data>(close: () => void) {
  const results: WatchResult<Data>[] = [];
  const ending = Promise.withResolvers<"complete" | "broken">();
  let taken = 0;
  let isEnded = false;
  let arrived = () => {};
  return {
    results,
    ended: ending.promise,
    close,
    add(result: WatchResult<Data>) {
      results.push(result);
      arrived();
    },
    end(how: "complete" | "broken") {
      isEnded = true;
      ending.resolve(how);
      arrived();
    },
    async next(): Promise<WatchResult<Data>> {
      const until = Date.now() + patienceMs;
      while (taken === results.length) {
        if (isEnded) throw new Error("The subscription ended without another result.");
        if (Date.now() > until) throw new Error(`Nothing came in ${patienceMs} ms.`);
        await new Promise<void>((resume) => {
          const timer = setTimeout(resume, 1_000);
          arrived = () => {
            clearTimeout(timer);
            resume();
          };
        });
      }
      return results[taken++] as WatchResult<Data>;
    },
  };
}

/** The documents' changes that came, without the rest. Fails on errors. */
export function changesOf(results: readonly WatchResult<Documents>[]): DocumentChange[] {
  return results.map(({ data, errors }) => {
    if (!data || errors) throw new Error(`An event with errors: ${JSON.stringify(errors)}`);
    return data.documentChanged;
  });
}
