/** The subscription to changes of one type of rows: `documentChanged`, with its type `DocumentChange`. */
import type { OneRelation } from "../eager-loading/relation.ts";
import type { OutboxEvent } from "../outbox/outbox-event.ts";
import { fieldNameOf, nounOf, withArticle } from "../type-names.ts";
import type { Viewer } from "../viewer.ts";
import { builder } from "./builder.ts";
import { type Change, scopeOf } from "./context.ts";
import { decodeGlobalId, encodeGlobalId } from "./global-id.ts";

export type ChangeSubscriptionOptions<Shown> = {
  /** The topic that the migration gave to `record_changes`. */
  topic: string;
  /** Loads the row with the viewer's permissions. */
  relation: OneRelation<object>;
  /** Whether the viewer may see a row with these values, which are the payload of its events. */
  isVisible(viewer: Viewer, shown: Shown): boolean;
  /** Arguments that select events by a value of their payload with the same name. */
  filters?: Partial<Record<keyof Shown & string, ChangeFilter>>;
  /** Description of the subscription. */
  description: string;
};

type Shape = { cursor: string; rowId: string | null; deletedId: string | null };
type Payload<Shown> = Shown & { change: "created" | "updated" | "deleted"; before?: Shown };

/** A row whose value changes to another one is reported as gone. */
export type ChangeFilter = {
  /** Description of the argument. */
  description: string;
  /**
   * The argument as rows have it.
   *
   * @throws ApplicationError BAD_USER_INPUT for a value that no row can have
   */
  toValue(argument: string): string;
};

/** @param typename the GraphQL type of the rows */
export function changeSubscription<Shown>(typename: string, options: ChangeSubscriptionOptions<Shown>): void {
  const { topic, relation, description, filters = {} } = options;
  const name = fieldNameOf(typename);
  const noun = nounOf(typename);
  const filterEntries = Object.entries(filters) as [string, ChangeFilter][];

  const ChangeType = builder.objectRef<Shape>(`${typename}Change`).implement({
    description: `A change of ${withArticle(typename)}. Either \`${name}\` or \`deletedId\` is present.`,
    fields: (t) => ({
      cursor: t.exposeString("cursor", {
        description: "The change's position. Subscribe with it as `after` to get all changes after this one.",
      }),
      [name]: t.one(relation, {
        by: "rowId",
        nullable: true,
        description: `The ${noun} as it is now, which may include later changes.`,
      }),
      deletedId: t.exposeID("deletedId", {
        nullable: true,
        description: `The id of ${withArticle(typename)} that was deleted or that you may no longer see.`,
      }),
    }),
  });

  builder.subscriptionField(`${name}Changed`, (t) =>
    t.field({
      type: ChangeType,
      description,
      args: {
        ...Object.fromEntries(filterEntries.map(([name, { description }]) => [name, t.arg.string({ description })])),
        id: t.arg.id({ description: `Only changes of this ${noun}.` }),
        after: t.arg.string({
          description: "The cursor of a change: those after it are sent first. Default: only new changes.",
        }),
      },
      subscribe: (_root, { id, after, ...given }, context) => {
        const selected = filterEntries.map(([name, { toValue }]): [string, string | null] => {
          const argument = (given as Record<string, string | null | undefined>)[name];
          return [name, argument == null ? null : toValue(argument)];
        });
        return scopeOf(context.subscription, "Only a subscription watches.").watch({
          topic,
          rowId: id == null ? null : decodeGlobalId(typename, id, ["id"]),
          after,
          toChange: (event, viewer) =>
            toChange(
              event as OutboxEvent<Payload<Shown>>,
              typename,
              relation,
              (shown) => isSelected(shown, selected) && options.isVisible(viewer, shown),
            ),
        }) as Promise<AsyncIterable<Shape>>;
      },
      resolve: (change) => change,
    }),
  );
}

/** Whether a row has the values that the subscription asks for; null stands for any. */
const isSelected = (shown: unknown, selected: readonly [string, string | null][]) =>
  selected.every(([name, value]) => value === null || (shown as Record<string, unknown>)[name] === value);

/**
 * Null if the viewer must not learn of the event. Shows only the id of a row that was deleted or hidden.
 *
 * @param isShown whether the subscription shows rows with these values
 */
function toChange<Shown>(
  { rowId, payload }: OutboxEvent<Payload<Shown>>,
  typename: string,
  relation: OneRelation<object>,
  isShown: (shown: Shown) => boolean,
): Change | null {
  const gone = { shown: { rowId: null, deletedId: encodeGlobalId(typename, rowId) } };
  const { change, before } = payload;
  if (change === "deleted") return isShown(payload) ? gone : null;
  if (!isShown(payload)) return before && isShown(before) ? gone : null;
  // The row is loaded as it is now. A later change that hides it has an event of its own.
  return { shown: { rowId, deletedId: null }, row: { relation, key: rowId } };
}
