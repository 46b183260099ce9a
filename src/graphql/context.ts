/** What resolvers are given: the context of one operation, or of one try of it inside a unit of work. */
import type { YogaInitialContext } from "graphql-yoga";
import type { Loaders } from "../eager-loading/loaders.ts";
import type { OneRelation } from "../eager-loading/relation.ts";
import type { Trace } from "../eager-loading/trace.ts";
import type { ClientConnection } from "../outbox/change-feed.ts";
import type { OutboxEvent } from "../outbox/outbox-event.ts";
import type { Viewer } from "../viewer.ts";

/**
 * The services that mutations call, one per slice. Each slice adds its own here by declaration merging, so that the
 * builder knows their types without knowing the slices.
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the slices.
export interface Services {}

export type OperationContext = YogaInitialContext & {
  requestId: string;
  viewer: Viewer;
  /** True when a token was sent that is not good: such a stranger may only sign in or refresh. */
  hasBadToken: boolean;
  /** False for a stranger, unless the shared library is public. */
  canRead: boolean;
  loaders: Loaders<Viewer>;
  /** What the operation asked of the database so far, over all its tries. */
  trace: Trace;
  /** True when clients reach us over TLS. */
  isSecure: boolean;
  setHeader(name: string, value: string): void;
  setCookie(cookie: string): void;
  /** What carries the answer to the client. */
  connection: ClientConnection;
  /** Null outside mutations. */
  mutation: MutationScope | null;
  /** Null outside the root field of a subscription. */
  subscription: SubscriptionScope | null;
};

/** How far an attempt is: the root fields that have begun, in order. All but the last have succeeded. */
export type Progress = {
  begun: (string | number)[];
  /** Whether a statement of the transaction has failed. */
  hasFailed(): boolean;
};

export type MutationScope = {
  /** How far this attempt is. */
  progress: Progress;
  services: Services;
  /** The rest of the operation runs on behalf of this viewer: the answer to a sign-in is shown as its user sees it. */
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
  /** Of the outbox. */
  topic: string;
  /** Only changes of this row. */
  rowId?: string | null;
  /** The cursor behind which to start; absent: from now on. */
  after?: string | null;
  /** What a viewer is told of the event, beside its cursor; null when it is not theirs to know. */
  toChange(event: OutboxEvent, viewer: Viewer): Change | null;
};

export type Change = {
  /** The object that the root field shows. */
  shown: Record<string, unknown>;
  /** The row that it is about, as its viewer may see it: when there is none, nothing is told. Absent: none is needed. */
  row?: { relation: OneRelation; key: string };
};
