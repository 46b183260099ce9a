/**
 * Second half of a plan: reads the asks of a query in one round trip and one snapshot, before its resolvers run.
 *
 * The steps of the document (`compile-plan.ts`) become asks by the operation's variables, and each ask one statement.
 * Its keys are a sub-select of its parent's statement, so all statements can be sent together. The rows prime the
 * loaders. Resolvers do not know of the plan; they load missing rows in batches.
 */

import type { GraphQLSchema } from "graphql";
import { GraphQLIncludeDirective, GraphQLSkipDirective, getArgumentValues, getDirectiveValues } from "graphql";
import { answersFromRows, type Row, rootKey, rowsOf } from "./answers.ts";
import { type Ask, askColumn, askList, askOne, emptyAnswer } from "./ask.ts";
import type { Conditions, Plan, Step } from "./compile-plan.ts";
import { connectionAsks } from "./connection.ts";
import { inTime } from "./in-time.ts";
import type { Loaders } from "./loaders.ts";
import { windowOf } from "./page-arguments.ts";
import { join, type Sql, sql } from "./sql.ts";
import { childKeys, type Keys, keysFromArray, keyType, statementOf } from "./statement.ts";
import type { Batch } from "./trace.ts";

/** A larger plan would delay other operations on the shared connection, so the loaders read it level by level. */
const maxStatements = 50;

export type PlanLimits = { timeoutMs: number };

/** A step with its arguments: a node of the selection tree. */
type Instance = {
  serial: number;
  ask: Ask;
  keys: Keys;
  parent: Instance | null;
  /** The keys if they are known before the read; else `by` is the parent's column that holds them. */
  known: readonly string[] | null;
  by: string | null;
  children: Instance[];
  /** Steps below an expensive page, instantiated once its rows are read. */
  deferred: Step[];
  rows: Row[] | null;
};

type Variables = Record<string, unknown>;

/**
 * Reads the asks of the plan and primes the loaders. Asks below an expensive page need a second round trip.
 *
 * Never throws. Resolvers load missing rows and report errors at the right field.
 *
 * @param event in a subscription: the object whose fields are the keys of the root steps
 */
export async function runPlan(
  plan: Plan,
  variables: Variables,
  loaders: Loaders,
  limits: PlanLimits,
  event?: Row,
): Promise<void> {
  const until = performance.now() + limits.timeoutMs;
  const instantiation = new Instantiation(plan.schema, variables, loaders);
  try {
    let wave = instantiation.instantiate(plan.steps, event ? known(event) : null);
    while (wave.length > 0) {
      const statements = [...collectStatements(wave, loaders.viewer).values()];
      // A plan of one statement saves no round trip.
      if (statements.length < (instantiation.isWaiting ? 1 : 2)) return;
      if (statements.length > maxStatements) return;
      const answers = await readTogether(statements, loaders, until - performance.now());
      if (!answers) return;
      prime(wave, answers, loaders);
      wave = instantiation.next();
    }
  } catch {
    // The resolvers repeat the failed reads and report the error.
  }
}

/** Returns the answers by ask, without failed ones; undefined after a timeout or a failure of the whole read. */
async function readTogether(
  statements: readonly PlannedStatement[],
  { reader, trace }: Loaders,
  timeoutMs: number,
): Promise<Map<string, Map<string, unknown>> | undefined> {
  const read = reader.readTogether?.bind(reader);
  if (!read || timeoutMs < 1) return undefined;
  const texts = statements.map(({ statement }) => statement);
  const reading = trace.trip(() => read(texts, Math.ceil(timeoutMs)));
  const outcomes = await inTime(timeoutMs, reading);
  if (!outcomes) return undefined;
  const answers = new Map<string, Map<string, unknown>>();
  outcomes.forEach((outcome, index) => {
    const { ask } = statements[index] as PlannedStatement;
    const batch: Batch = { relation: ask.name, keys: null, rows: 0, ms: outcome.ms, planned: true };
    trace.batches.push(batch);
    if ("error" in outcome) {
      batch.failed = true;
    } else {
      batch.rows = outcome.rows.length;
      answers.set(ask.id, answersFromRows(ask, outcome.rows));
    }
  });
  return answers;
}

class Instantiation {
  readonly #schema: GraphQLSchema;
  readonly #variables: Variables;
  readonly #loaders: Loaders;
  readonly #instances = new Map<string, Instance>();
  #waiting: Instance[] = [];

  constructor(schema: GraphQLSchema, variables: Variables, loaders: Loaders) {
    this.#schema = schema;
    this.#variables = variables;
    this.#loaders = loaders;
  }

  /** True while steps wait for the rows of an expensive page. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Instantiates the steps below expensive pages whose rows have been read. */
  next(): Instance[] {
    const ready = this.#waiting.filter(({ rows }) => rows !== null);
    this.#waiting = [];
    return ready.flatMap((page) => this.instantiate(page.deferred, page));
  }

  instantiate(steps: readonly Step[], parent: Instance | null): Instance[] {
    const instances: Instance[] = [];
    for (const step of steps) {
      try {
        if (this.#holds(step.conditions)) instances.push(...this.#instancesOf(step, parent));
      } catch {
        // Invalid arguments: the resolver reports them at its path in the response.
      }
    }
    return instances;
  }

  #instancesOf(step: Step, parent: Instance | null): Instance[] {
    const { eager } = step;
    const args = getArgumentValues(step.field, step.node, this.#variables);
    if (eager.kind === "lookup") {
      return eager.find(args, this.#loaders.viewer, this.#schema).map(({ relation, typename, keys }) => {
        const instance = this.#instance(askOne(relation), parent, null, keys);
        return this.#withChildren(instance, step.children.get(typename) ?? []);
      });
    }
    const by = eager.by ?? null;
    switch (eager.kind) {
      case "one":
        return [this.#withChildren(this.#instance(askOne(eager.relation), parent, by), allOf(step))];
      case "list": {
        const ask = askList(eager.relation, eager.toArguments(args));
        return [this.#withChildren(this.#instance(ask, parent, by), allOf(step))];
      }
      case "column":
        return [this.#instance(askColumn(eager.relation), parent, by)];
      case "page": {
        const window = windowOf(eager.relation, args, this.#loaders.cursors);
        const asks = connectionAsks(eager.relation, eager.toArguments(args), window);
        const parts = new Set(
          step.selected.filter(({ conditions }) => this.#holds(conditions)).map(({ part }) => part),
        );
        // In its own direction, only the page knows whether more rows follow.
        if (parts.has(window.isBackward ? "previous" : "next")) parts.add("page");
        const instances = [...parts].flatMap((part) => {
          const ask = asks[part];
          return ask ? [this.#instance(ask, parent, by)] : [];
        });
        const page = instances.find(({ ask }) => ask.kind === "page");
        if (page && eager.relation.isExpensive) this.#defer(page, allOf(step));
        else if (page) this.#withChildren(page, allOf(step));
        return instances;
      }
    }
  }

  /** Returns one instance for equal asks with equal keys, under any number of aliases. */
  #instance(ask: Ask, parent: Instance | null, by: string | null, known?: readonly string[]): Instance {
    known ??= by !== null && parent?.rows ? keysIn(parent.rows, by) : undefined;
    const source = known ? known.join() : `${parent?.serial} ${by}`;
    const id = `${source} ${ask.id}`;
    let instance = this.#instances.get(id);
    if (!instance) {
      instance = {
        serial: this.#instances.size,
        ask,
        keys: this.#keysFor(ask, parent, by, known),
        parent,
        by,
        known: known ?? (by === null ? [rootKey] : null),
        children: [],
        deferred: [],
        rows: null,
      };
      this.#instances.set(id, instance);
    }
    return instance;
  }

  #keysFor(ask: Ask, parent: Instance | null, by: string | null, known?: readonly string[]): Keys {
    if (known) return keysFromArray(ask, known);
    if (by === null || keyType(ask) === null) return null;
    if (!parent) throw new Error(`${ask.name} is keyed by ${by}, but has no parent.`);
    // The parent's key column is the wanted column, so the parent's keys are the child's.
    if (parent.ask.kind === "one" && parent.ask.relation.key === by && parent.keys) return parent.keys;
    return childKeys(parent.ask, parent.keys, this.#loaders.viewer, by);
  }

  /** Delays the children of an expensive page: each of their statements would compute the page again. */
  #defer(page: Instance, steps: readonly Step[]): void {
    if (steps.length === 0) return;
    page.deferred.push(...steps);
    if (!this.#waiting.includes(page)) this.#waiting.push(page);
  }

  #withChildren(instance: Instance, steps: readonly Step[]): Instance {
    for (const child of this.instantiate(steps, instance)) {
      if (!instance.children.includes(child)) instance.children.push(child);
    }
    return instance;
  }

  #holds(conditions: Conditions): boolean {
    return conditions.every((directive) => {
      const holder = { directives: [directive] };
      if (directive.name.value === "skip") {
        return getDirectiveValues(GraphQLSkipDirective, holder, this.#variables)?.if !== true;
      }
      return getDirectiveValues(GraphQLIncludeDirective, holder, this.#variables)?.if !== false;
    });
  }
}

/** A pseudo-instance for a row that is already in memory. */
const known = (row: Row) => ({ serial: -1, rows: [row] }) as Partial<Instance> as Instance;

const allOf = (step: Step): Step[] => [...step.children.values()].flat();

type PlannedStatement = { ask: Ask; statement: Sql };

/** Makes one statement per ask, with the union of the keys of all its instances; none for an ask without keys. */
function collectStatements(roots: readonly Instance[], viewer: unknown): Map<string, PlannedStatement> {
  const sources = new Map<string, { ask: Ask; known: Set<string>; queries: Map<string, Sql> }>();
  const visit = (instance: Instance): void => {
    const { ask, known, keys } = instance;
    // Without keys, a statement would read the whole table.
    if (known?.length === 0) return;
    const found = sources.get(ask.id) ?? { ask, known: new Set<string>(), queries: new Map<string, Sql>() };
    sources.set(ask.id, found);
    if (known) for (const key of known) found.known.add(key);
    else if (keys) found.queries.set(`${instance.parent?.serial} ${instance.by}`, keys);
    instance.children.forEach(visit);
  };
  roots.forEach(visit);
  return new Map(
    [...sources].map(([id, { ask, known, queries }]) => {
      const own = known.size === 0 ? null : keysFromArray(ask, known);
      const united = unite([...(own ? [own] : []), ...queries.values()]);
      return [id, { ask, statement: statementOf(ask, united, viewer) }];
    }),
  );
}

function unite(keys: readonly Sql[]): Keys {
  if (keys.length <= 1) return keys[0] ?? null;
  return join(
    keys.map((source) => sql`(${source})`),
    " union ",
  );
}

/** Primes from the root down. Keys come from the parent's rows, so keys without rows are primed with empty answers. */
function prime(instances: readonly Instance[], answers: Map<string, Map<string, unknown>>, loaders: Loaders): void {
  const visit = (instance: Instance, keys: Iterable<string>): void => {
    const { ask } = instance;
    const found = answers.get(ask.id);
    if (!found) return;
    const rows = [];
    for (const key of keys) {
      const answer = found.has(key) ? found.get(key) : emptyAnswer(ask);
      loaders.prime(ask, key, answer);
      rows.push(...rowsOf(ask, answer));
    }
    if (instance.deferred.length > 0) instance.rows = rows;
    for (const child of instance.children) visit(child, child.known ?? keysIn(rows, child.by as string));
  };
  for (const instance of instances) visit(instance, instance.known ?? []);
}

/** The distinct values of a column, without nulls. */
function keysIn(rows: readonly Row[], column: string): string[] {
  const values = rows.map((row) => row[column]).filter((value) => value !== null && value !== undefined);
  return [...new Set(values.map(String))];
}
