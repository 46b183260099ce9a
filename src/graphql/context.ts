/** The context of resolvers: of one operation, or of one attempt of a mutation. */
import type { YogaInitialContext } from "graphql-yoga";
import type { FileAddress } from "../downloads/download.ts";
import type { Loaders } from "../eager-loading/loaders.ts";
import type { OneRelation } from "../eager-loading/relation.ts";
import type { Trace } from "../eager-loading/trace.ts";
import type { ClientConnection } from "../outbox/change-feed.ts";
import type { OutboxEvent } from "../outbox/outbox-event.ts";
import type { Viewer } from "../viewer.ts";

/**
 * The services that mutations call. Each slice adds its own by declaration merging, so that the builder knows their
 * types without importing the slices.
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the slices.
export interface Services {}

export type OperationContext = YogaInitialContext & {
  requestId: string;
  viewer: Viewer;
  /** True for an invalid or expired token. Such a stranger may only sign in or refresh the session. */
  hasBadToken: boolean;
  /** False for a stranger, unless the shared library is public. */
  canRead: boolean;
  loaders: Loaders<Viewer>;
  /** Statements of the operation so far, in all its attempts. */
  trace: Trace;
  /** True when clients reach us over TLS. */
  isSecure: boolean;
  setHeader(name: string, value: string): void;
  setCookie(cookie: string): void;
  /** The address of a file that the viewer may download, without headers, until it expires. See src/downloads. */
  fileAddress: FileAddress;
  /** The connection that transports the response. */
  connection: ClientConnection;
  /** Null outside mutations. */
  mutation: MutationScope | null;
  /** Null outside the root field of a subscription. */
  subscription: SubscriptionScope | null;
};

/** Progress of an attempt: the root fields that have begun, in order. All but the last have succeeded. */
export type Progress = {
  begun: (string | number)[];
  /** Whether a statement of the transaction has failed. */
  hasFailed(): boolean;
};

export type MutationScope = {
  progress: Progress;
  services: Services;
  /** Continues the operation on behalf of this viewer, after a sign-in. */
  become(viewer: NonNullable<Viewer>): void;
};

export type SubscriptionScope = {
  /** The stream of events that the root field subscribes to. */
  watch(what: WatchOptions): Promise<AsyncIterable<unknown>>;
};

/** @throws Error outside a mutation, where nothing may be written */
export function servicesOf({ mutation }: Pick<OperationContext, "mutation">): Services {
  return scopeOf(mutation, "Only mutations have services.").services;
}

/** @throws Error when the scope is absent: a mistake in a resolver */
export function scopeOf<Scope>(scope: Scope | null, message: string): Scope {
  if (scope === null) throw new Error(message);
  return scope;
}

export type WatchOptions = {
  /** The topic of the events. */
  topic: string;
  /** Only changes of this row. */
  rowId?: string | null;
  /** The cursor after which to start; absent: only new events. */
  after?: string | null;
  /** The change to deliver; null if the viewer must not learn of the event. */
  toChange(event: OutboxEvent, viewer: Viewer): Change | null;
};

export type Change = {
  /** The value of the root field, without the cursor. */
  shown: Record<string, unknown>;
  /** A row that must be visible to the viewer; otherwise nothing is delivered. */
  row?: { relation: OneRelation; key: string };
};
