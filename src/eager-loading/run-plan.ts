/**
 * The plan: reads in one round trip and one snapshot what a query will ask, before it runs.
 *
 * The document's steps (`plan-steps.ts`) are made concrete with the operation's variables: every ask becomes one
 * statement, whose keys are sub-selects of the statements above it, so that all can leave together. What comes back
 * primes the loaders. The resolvers run afterwards as if nothing had happened: what the plan did not foresee, they load
 * by batches as always.
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

/** More would hold up everybody else's: beyond it the loaders do the work level by level. */
const maxStatements = 50;

/** How long a query waits for its plan. */
export type PlanLimits = { timeoutMs: number };

/** A step with its arguments, at one place of the tree. */
type Instance = {
  /** Unique in its plan. */
  serial: number;
  ask: Ask;
  keys: Keys;
  parent: Instance | null;
  /** The keys where they are known now, else the parent's column that they stand in. */
  known: readonly string[] | null;
  by: string | null;
  children: Instance[];
  /** Steps below an expensive page: they start from its rows, once these are here. */
  deferred: Step[];
  rows: Row[] | null;
};

type Variables = Record<string, unknown>;

/**
 * Reads in one go what the plan foresees, and primes the loaders with it. Below an expensive page it goes a second time.
 *
 * Never throws and never takes longer than its timeout: what is not primed is loaded by the resolvers, who also meet
 * the error, if there is one, at the field that it belongs to.
 *
 * @param event in a subscription, the object that is shown: its fields are the keys to start from
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
      // A single statement gains nothing from a plan.
      if (statements.length < 2 && !instantiation.isWaiting) return;
      if (statements.length > maxStatements) return;
      const answers = await readTogether(statements, loaders, until - performance.now());
      if (!answers) return;
      prime(wave, answers, loaders);
      wave = instantiation.next();
    }
  } catch {
    // Whatever it was, the resolvers meet it again, where it can be told.
  }
}

/** The answers by ask, without those that failed; undefined when there is nothing to be had in time. */
async function readTogether(
  statements: readonly PlannedStatement[],
  { reader, trace }: Loaders,
  timeoutMs: number,
): Promise<Map<string, Map<string, unknown>> | undefined> {
  if (!reader.readTogether || timeoutMs < 1) return undefined;
  const texts = statements.map(({ statement }) => statement);
  const reading = trace.trip(() => reader.readTogether?.(texts, Math.ceil(timeoutMs)) ?? Promise.resolve([]));
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

  /** True while there are steps that wait for the rows of an expensive page. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** What can be read now that those rows are here. */
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
        // An argument that cannot be: the resolver will say so, at the right place of the answer.
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
        // The page tells of rows in its own direction, so either of these needs it too.
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

  /** The same ask of the same parents is one instance, under however many aliases it is selected. */
  #instance(ask: Ask, parent: Instance | null, by: string | null, known?: readonly string[]): Instance {
    known ??= by !== null && parent?.rows ? keysIn(parent.rows, by) : undefined;
    const place = known ? known.join() : `${parent?.serial} ${by}`;
    const id = `${place} ${ask.id}`;
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
    // A row found by its key has that key: no need to read the row for it.
    if (parent.ask.kind === "one" && parent.ask.relation.key === by && parent.keys) return parent.keys;
    return childKeys(parent.ask, parent.keys, this.#loaders.viewer, by);
  }

  /** Its children would find the page again inside the database, each by itself: better to wait for its rows. */
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

/** A row that is here already, for others to start from. */
const known = (row: Row) => ({ serial: -1, rows: [row] }) as Partial<Instance> as Instance;

const allOf = (step: Step): Step[] => [...step.children.values()].flat();

type PlannedStatement = { ask: Ask; statement: Sql };

/** One statement per ask, however many places of the tree ask it: their keys are united. */
function collectStatements(roots: readonly Instance[], viewer: unknown): Map<string, PlannedStatement> {
  const sources = new Map<string, { ask: Ask; known: Set<string>; queries: Map<string, Sql> }>();
  const visit = (instance: Instance): void => {
    const { ask, known, keys } = instance;
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

/** From the top down: a row that was read says the keys of what belongs to it, also where nothing does. */
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

/** The values of one column, as keys: each once, and none where there is none. */
function keysIn(rows: readonly Row[], column: string): string[] {
  const values = rows.map((row) => row[column]).filter((value) => value !== null && value !== undefined);
  return [...new Set(values.map(String))];
}
