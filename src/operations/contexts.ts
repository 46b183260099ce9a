/**
 * The contexts of operations: one per request, one per attempt of a mutation (inside its unit of work), and one per
 * event of a subscription, since the viewer may have changed.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { YogaInitialContext } from "graphql-yoga";
import { addressesFor, type FileAddresses } from "../downloads/file-addresses.ts";
import type { CursorCodec } from "../eager-loading/cursor.ts";
import { Loaders } from "../eager-loading/loaders.ts";
import type { Reader } from "../eager-loading/reader.ts";
import { Trace } from "../eager-loading/trace.ts";
import type { OperationContext, Progress, Services } from "../graphql/context.ts";
import type { ClientConnection } from "../outbox/change-feed.ts";
import type { Repositories, UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import type { Viewer, Viewers } from "../viewer.ts";

/** The part of the context from node:http. Over a WebSocket there is no response and there are no files. */
export type ServerContext = { req: IncomingMessage; res?: ServerResponse; atEnd?: (() => unknown)[] };
export type RequestContext = YogaInitialContext & ServerContext & { requestId: string; connection: ClientConnection };

export type ContextParts = {
  viewers: Viewers;
  /** True if strangers may read the shared library. */
  isPublic: boolean;
  /** True if clients reach the server over TLS. */
  isSecure: boolean;
  /** For reads outside units of work. */
  reads: Reader;
  cursors: CursorCodec;
  addresses: Pick<FileAddresses, "of">;
  services(uow: UnitOfWork & Repositories, viewer: Viewer): Services;
};

export type Contexts = {
  ofRequest(request: RequestContext): Promise<OperationContext>;
  ofAttempt(operation: OperationContext, uow: UnitOfWork & Repositories): OperationContext;
  ofEvent(operation: OperationContext, viewer: Viewer): OperationContext;
};

export function contextsOf({
  viewers,
  isPublic,
  isSecure,
  reads,
  cursors,
  addresses,
  services,
}: ContextParts): Contexts {
  const fileAddressFor = (viewer: Viewer) => addressesFor(addresses, viewer?.id ?? null);
  return {
    async ofRequest(request) {
      const { viewer, hasBadToken } = await viewers.ofRequest(request.request);
      const trace = new Trace();
      const { res } = request;
      return Object.assign(request, {
        viewer,
        trace,
        isSecure,
        hasBadToken,
        canRead: viewer !== null || (isPublic && !hasBadToken),
        loaders: new Loaders({ viewer, reader: reads, cursors, trace }),
        fileAddress: fileAddressFor(viewer),
        mutation: null,
        subscription: null,
        setHeader: (name: string, value: string) => void res?.setHeader(name, value),
        setCookie: (cookie: string) => void res?.appendHeader("set-cookie", cookie),
      });
    },

    ofAttempt(operation, uow) {
      const { trace } = operation;
      const progress: Progress = { begun: [], hasFailed: () => uow.failure !== undefined };
      const partsOf = (viewer: Viewer) => ({
        viewer,
        loaders: new Loaders({ viewer, reader: uow.reader, cursors, trace }),
        fileAddress: fileAddressFor(viewer),
        mutation: { services: services(uow, viewer), become, progress },
      });
      const become = (viewer: NonNullable<Viewer>) =>
        void Object.assign(context, partsOf(viewer), { canRead: true, hasBadToken: false });
      const context: OperationContext = {
        ...operation,
        ...partsOf(operation.viewer),
        // Cookies are sent only after the commit.
        setCookie: (cookie) => uow.afterCommit(() => operation.setCookie(cookie)),
      };
      return context;
    },

    ofEvent(operation, viewer) {
      const trace = new Trace();
      const loaders = new Loaders({ viewer, reader: reads, cursors, trace });
      return { ...operation, viewer, trace, loaders, fileAddress: fileAddressFor(viewer) };
    },
  };
}
