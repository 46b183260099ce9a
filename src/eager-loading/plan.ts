/**
 * The plan: reads in one round trip and one snapshot what a query will ask, before it runs.
 *
 * The document's steps (`plan-steps.ts`) are made concrete with the operation's variables: every ask becomes one
 * statement, whose keys are sub-selects of the statements above it, so that all can leave together. What comes back
 * primes the loaders. The resolvers run afterwards as if nothing had happened: what the plan did not foresee, they load
 * by batches as always.
 */
import { GraphQLIncludeDirective, GraphQLSkipDirective, getArgumentValues, getDirectiveValues } from "graphql";
import { answersFromRows, rootKey, rowsOf } from "./answers.ts";
import { type Ask, askColumn, askList, askOne, askSum, emptyAnswer } from "./ask.ts";
import { connectionAsks } from "./connection.ts";
import type { Loaders } from "./loaders.ts";
import { windowOf } from "./page-arguments.ts";
import type { Conditions, Plan, Step } from "./plan-steps.ts";
import { join, type Sql, sql } from "./sql.ts";
import { childKeys, type Keys, keysFromArray, keyType, statementOf } from "./statement.ts";

/** Bounds for what one plan may send; beyond them the loaders do the work level by level. */
export type PlanLimits = { maxStatements: number; timeoutMs: number };

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
};

type Variables = Record<string, unknown>;

/**
 * Reads in one go what the plan foresees, and primes the loaders with it.
 *
 * Never throws and never takes longer than its timeout: what is not primed is loaded by the resolvers, who also meet
 * the error, if there is one, at the field that it belongs to.
 */
export async function runPlan(plan: Plan, variables: Variables, loaders: Loaders, limits: PlanLimits): Promise<void> {
  const { reader } = loaders;
  if (!reader.readTogether) return;
  const roots = new Instantiation(variables, loaders).instantiate(plan.steps, null);
  const statements = collectStatements(roots, loaders.viewer);
  // A single statement gains nothing from a plan; too many would hold up everybody else's.
  if (statements.size < 2 || statements.size > limits.maxStatements) return;

  const asks = [...statements.values()];
  const readTogether = reader.readTogether.bind(reader);
  const outcomes = await inTime(
    limits.timeoutMs,
    loaders.trace.trip(() => readTogether(asks.map(({ statement }) => statement))),
  );
  if (!outcomes) return;
  const answers = new Map<string, Map<string, unknown>>();
  outcomes.forEach((outcome, index) => {
    const { ask } = asks[index] as PlannedStatement;
    if ("error" in outcome) return;
    const { rows, ms } = outcome;
    answers.set(ask.id, answersFromRows(ask, rows));
    loaders.trace.batches.push({ relation: ask.name, keys: null, rows: rows.length, ms, planned: true });
  });
  prime(roots, answers, loaders);
}

class Instantiation {
  readonly #variables: Variables;
  readonly #loaders: Loaders;
  readonly #instances = new Map<string, Instance>();

  constructor(variables: Variables, loaders: Loaders) {
    this.#variables = variables;
    this.#loaders = loaders;
  }

  instantiate(steps: readonly Step[], parent: Instance | null): Instance[] {
    const instances: Instance[] = [];
    for (const step of steps) {
      if (!this.#holds(step.conditions)) continue;
      try {
        instances.push(...this.#instancesOf(step, parent));
      } catch {
        // An argument that cannot be: the resolver will say so, at the right place of the answer.
      }
    }
    return instances;
  }

  #instancesOf(step: Step, parent: Instance | null): Instance[] {
    const { eager } = step;
    if (eager.kind === "same") return [];
    const args = getArgumentValues(step.field, step.node, this.#variables);
    if (eager.kind === "lookup") {
      return eager.find(args, this.#loaders.viewer).map(({ relation, typename, keys }) => {
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
      case "sum":
        return [this.#instance(askSum(eager.relation), parent, by)];
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
        if (page) this.#withChildren(page, allOf(step));
        return instances;
      }
    }
  }

  /** The same ask of the same parents is one instance, under however many aliases it is selected. */
  #instance(ask: Ask, parent: Instance | null, by: string | null, known?: readonly string[]): Instance {
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
    for (const child of instance.children) {
      const values = child.known ?? rows.map((row) => row[child.by as string]).filter((value) => value !== null);
      visit(child, new Set(values.map(String)));
    }
  };
  for (const instance of instances) visit(instance, instance.known ?? []);
}

/** The work's result, or undefined when it fails or takes too long. */
async function inTime<Result>(timeoutMs: number, work: Promise<Result>): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((expired) => {
    timer = setTimeout(() => expired(undefined), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
