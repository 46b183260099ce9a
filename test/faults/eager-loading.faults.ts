import type { Fault } from "./fault.ts";

const plans = ["test/eager-loading/plans.test.ts"];
const statements = ["test/eager-loading/statement.unit.test.ts"];
const visibility = ["test/documents/visible-relations.test.ts"];

export const faults: Fault[] = [
  {
    name: "a fragment on an interface is left out of the plan",
    file: "src/eager-loading/compile-plan.ts",
    replace: { "return isAbstractType(other) && this.#schema.isSubType(other, type);": "return other === type;" },
    tests: ["test/eager-loading/compile-plan.unit.test.ts", "test/eager-loading/run-plan.unit.test.ts"],
  },
  {
    name: "asks with other arguments share one answer",
    file: "src/eager-loading/ask.ts",
    replace: { 'identify(relation.name, "list", { args })': 'identify(relation.name, "list", {})' },
    tests: ["test/eager-loading/ask.unit.test.ts"],
  },
  {
    name: "pages of two viewers' filters share one answer",
    file: "src/eager-loading/ask.ts",
    replace: { 'identify(relation.name, "page", { args, window })': 'identify(relation.name, "page", { window })' },
    tests: ["test/eager-loading/ask.unit.test.ts"],
  },
  {
    name: "a page is cut one row too early",
    file: "src/eager-loading/answers.ts",
    replace: {
      "if (index === ask.window.size) page.hasMore = true;": "if (index === ask.window.size - 1) page.hasMore = true;",
    },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "the last rows come in the wrong order",
    file: "src/eager-loading/answers.ts",
    replace: { "(page as Page).rows.reverse()": "(page as Page).rows" },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "an order without the primary key loses rows with equal values",
    file: "src/eager-loading/keyset.ts",
    replace: {
      "[...(relation.orders[field] ?? []), relation.table.primaryKey]": "[...(relation.orders[field] ?? [])]",
    },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "rows with null are compared as a row and lost",
    file: "src/eager-loading/keyset.ts",
    replace: {
      'if (terms.every((term) => !term.isNullable)) return compareRows(terms, direction === "ASC" ? ">" : "<", cursor);':
        'if (terms.length > 0) return compareRows(terms, direction === "ASC" ? ">" : "<", cursor);',
    },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "a cursor's hash leaves its scope out",
    file: "src/eager-loading/cursor.ts",
    replace: { '.update(scope).update("\\0").update(body)': ".update(body)" },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "a cursor's hash is not checked",
    file: "src/eager-loading/cursor.ts",
    replace: { "|| !timingSafeEqual(hash, this.#hash(scope, body))": "" },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "a page of 101 rows is allowed",
    file: "src/eager-loading/page-arguments.ts",
    replace: { "size > maximumPageSize": "size > maximumPageSize + 1" },
    tests: ["test/documents/bad-input.test.ts"],
  },
  {
    name: "a relation forgets its rule where one row is asked",
    file: "src/eager-loading/statement.ts",
    replace: {
      'sql`select ${selectList(relation.table, "t")} from ${keyed(ask, keys)} where ${visible(relation, viewer)}`':
        'sql`select ${selectList(relation.table, "t")} from ${keyed(ask, keys)}`',
    },
    tests: ["test/users/visibility.test.ts"],
  },
  {
    name: "a count tells of rows that the viewer may not see",
    file: "src/eager-loading/statement.ts",
    replace: {
      "return filter ? sql`${filter} and ${visible(relation, viewer)}` : visible(relation, viewer);":
        "return filter ?? visible(relation, viewer);",
    },
    tests: ["test/users/visibility.test.ts"],
  },
  {
    name: "keys are not made distinct, so a row of many parents comes many times",
    file: "src/eager-loading/statement.ts",
    replace: { "sql`select unnest(${[...new Set(keys)]}": "sql`select unnest(${[...keys]}" },
    tests: ["test/eager-loading/statement.unit.test.ts"],
  },
  {
    name: "an answer of the batch is cached over a write",
    file: "src/eager-loading/loaders.ts",
    replace: { "this.#byAsk.clear();": "" },
    tests: ["test/eager-loading/inside-mutations.test.ts"],
  },
  {
    name: "one invalid key fails the whole batch",
    file: "src/eager-loading/loaders.ts",
    replace: { "keys.length === 1 || !isDataException(error)": "keys.length > 0" },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "a plan forgets the directives above a selection",
    file: "src/eager-loading/compile-plan.ts",
    replace: { "own.length === 0 ? above : [...above, ...own]": "own.length === 0 ? above : own" },
    tests: plans,
  },
  {
    name: "a plan forgets the directives of fragments",
    file: "src/eager-loading/compile-plan.ts",
    replace: {
      "yield* this.#fieldsOf(type, fragment.selectionSet, conditions);":
        "yield* this.#fieldsOf(type, fragment.selectionSet, above);",
    },
    tests: plans,
  },
  {
    name: "a plan knows @skip only",
    file: "src/eager-loading/compile-plan.ts",
    replace: { 'name.value === "skip" || name.value === "include"': 'name.value === "skip"' },
    tests: plans,
  },
  {
    name: "a plan forgets the directives of a page's rows",
    file: "src/eager-loading/compile-plan.ts",
    replace: {
      "const steps = this.stepsOf(type, node.selectionSet, conditions, true);":
        "const steps = this.stepsOf(type, node.selectionSet, [], true);",
    },
    tests: plans,
  },
  {
    name: "a plan keeps the last of the two ways to a page's rows",
    file: "src/eager-loading/compile-plan.ts",
    replace: {
      "step.children.set(type.name, [...(step.children.get(type.name) ?? []), ...steps]);":
        "step.children.set(type.name, steps);",
    },
    tests: plans,
  },
  {
    name: "a plan does not look into fragments of an interface",
    file: "src/eager-loading/compile-plan.ts",
    replace: { "return isAbstractType(other) && this.#schema.isSubType(other, type);": "return other === type;" },
    tests: plans,
  },
  {
    name: "a plan does not look into edges",
    file: "src/eager-loading/compile-plan.ts",
    replace: {
      "this.#selectEdges(step, type, node, conditions); break;": "break;",
      "#selectEdges(step: Step": "selectEdges(step: Step",
    },
    tests: plans,
  },
  {
    name: "a plan ignores @skip and @include",
    file: "src/eager-loading/run-plan.ts",
    replace: { "if (this.#holds(step.conditions)) instances.push": "instances.push" },
    tests: plans,
  },
  {
    name: "a plan ignores @skip and @include of the parts of a page",
    file: "src/eager-loading/run-plan.ts",
    replace: { "step.selected.filter(({ conditions }) => this.#holds(conditions)).map": "step.selected.map" },
    tests: plans,
  },
  {
    name: "a plan takes @skip for @include",
    file: "src/eager-loading/run-plan.ts",
    replace: { "this.#variables)?.if !== true": "this.#variables)?.if === true" },
    tests: plans,
  },
  {
    name: "one of several directives is enough for a plan",
    file: "src/eager-loading/run-plan.ts",
    replace: { "return conditions.every((directive)": "return conditions.length === 0 || conditions.some((directive)" },
    tests: plans,
  },
  {
    name: "a plan reads literals only, not variables, in directives",
    file: "src/eager-loading/run-plan.ts",
    replace: {
      "getDirectiveValues(GraphQLSkipDirective, holder, this.#variables)":
        "getDirectiveValues(GraphQLSkipDirective, holder, { yes: false, no: false })",
    },
    tests: plans,
  },
  {
    name: "a plan keeps what the last of several aliases selects",
    file: "src/eager-loading/run-plan.ts",
    replace: {
      "if (!instance.children.includes(child)) instance.children.push(child);": "instance.children = [child];",
    },
    tests: plans,
  },
  {
    name: "a plan merges no aliases",
    file: "src/eager-loading/run-plan.ts",
    replace: {
      "this.#instances.set(id, instance);": "this.#instances.set(`${id} ${this.#instances.size}`, instance);",
    },
    tests: plans,
  },
  {
    name: "a plan reads the rows of the first parent only",
    file: "src/eager-loading/run-plan.ts",
    replace: { "if (keys.length <= 1) return keys[0] ?? null;": "if (keys.length <= 2) return keys[0] ?? null;" },
    tests: plans,
  },
  {
    name: "a plan reads known keys only, where there are some",
    file: "src/eager-loading/run-plan.ts",
    replace: { "unite([...(own ? [own] : []), ...queries.values()])": "unite(own ? [own] : [...queries.values()])" },
    tests: plans,
  },
  {
    name: "a plan reads the known keys of the last ask only",
    file: "src/eager-loading/run-plan.ts",
    replace: { "for (const key of known) found.known.add(key);": "found.known = new Set(known);" },
    tests: plans,
  },
  {
    name: "a plan tells parents apart by their column only",
    file: "src/eager-loading/run-plan.ts",
    replace: {
      "found.queries.set(`${instance.parent?.serial} ${instance.by}`, keys)":
        "found.queries.set(`${instance.by}`, keys)",
    },
    tests: plans,
  },
  {
    name: "a plan forgets what the first of two equal searches selects",
    file: "src/eager-loading/run-plan.ts",
    replace: { "page.deferred.push(...steps);": "page.deferred = [...steps];" },
    tests: plans,
  },
  {
    name: "single rows are read without their rule",
    file: "src/eager-loading/statement.ts",
    replace: {
      'selectList(relation.table, "t")} from ${keyed(ask, keys)} where ${visible(relation, viewer)}':
        'selectList(relation.table, "t")} from ${keyed(ask, keys)}',
    },
    tests: visibility,
  },
  {
    name: "wide columns are read without their rule",
    file: "src/eager-loading/statement.ts",
    replace: {
      'as "$value" from ${keyed(ask, keys)} where ${visible(relation, viewer)}': 'as "$value" from ${keyed(ask, keys)}',
    },
    tests: visibility,
  },
  {
    name: "lists are read without their rule",
    file: "src/eager-loading/statement.ts",
    replace: {
      "select * from ${table(relation)} where ${listMatch(ask)} and ${visible(relation, viewer)}":
        "select * from ${table(relation)} where ${listMatch(ask)}",
    },
    tests: visibility,
  },
  {
    name: "pages with a filter are read without their rule",
    file: "src/eager-loading/statement.ts",
    replace: { "filter ? sql`${filter} and ${visible(relation, viewer)}` :": "filter ? filter :" },
    tests: visibility,
  },
  {
    name: "the rows before a page are looked for without their rule",
    file: "src/eager-loading/statement.ts",
    replace: {
      "select 1 from ${table(relation)} where ${ofKey(ask)}${matching(relation, args, viewer)}":
        "select 1 from ${table(relation)} where ${ofKey(ask)}${matching({ ...relation, visible: undefined }, args, viewer)}",
    },
    tests: visibility,
  },
  {
    name: "computed values are read without their rule",
    file: "src/eager-loading/statement.ts",
    replace: {
      "v(key, value) on v.key = k.key where ${visible(relation, viewer)}`": "v(key, value) on v.key = k.key`",
    },
    tests: statements,
  },
  {
    name: "each computed value finds the rows of its parents again",
    file: "src/eager-loading/statement.ts",
    replace: { "(key) as materialized (${keys})": "(key) as (${keys})" },
    tests: statements,
  },
  {
    name: "a count of many-to-many compares every row with every key",
    file: "src/eager-loading/statement.ts",
    replace: { "isOfGeneration(ask) || ask.relation.match": "isOfGeneration(ask)" },
    tests: statements,
  },
  {
    name: "pages of many-to-many show the rows of all keys",
    file: "src/eager-loading/statement.ts",
    replace: {
      'return ask.relation.match?.(raw("k.key"), columnsOf(relation.table, "t"));':
        'return ask.relation.match && raw("true");',
    },
    tests: statements,
  },
  {
    name: "a page of many-to-many is shown for no key",
    file: "src/graphql/relation-fields.ts",
    replace: { "requireKey(relation, options.by);": "" },
    tests: ["test/graphql/relation-fields.test.ts"],
  },
];
