/** What a query costs in statements and round trips, exactly, as the server itself counts and shows it. */
import type { Batch } from "../../src/eager-loading/trace.ts";
import type { Lectern, Person } from "./lectern.ts";
import { post } from "./post.ts";

export type Cost = { statements: number; rows: number; roundTrips: number; ms: number; batches: Batch[] };

export type TracedAnswer<Data> = { data: Data; cost: Cost };

/** Asks with `Lectern-Trace: 1`. Gives the answer as it came. */
export async function askTraced<Answer>(
  lectern: Lectern,
  person: Person,
  body: { query: string; variables?: object },
): Promise<Answer> {
  const headers = { "lectern-trace": "1" };
  const response = await post(lectern.url, { ...body, accessToken: person.accessToken, headers });
  return (await response.json()) as Answer;
}

/** The data and what it cost. Fails when the answer has errors. */
export async function traced<Data = Record<string, unknown>>(
  lectern: Lectern,
  person: Person,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<TracedAnswer<Data>> {
  type Answer = { data: Data; errors?: unknown; extensions: { lectern: Cost } };
  const { data, errors, extensions } = await askTraced<Answer>(lectern, person, { query, variables });
  if (errors) throw new Error(`${query}\n${JSON.stringify(errors, null, 2)}`);
  return { data, cost: extensions.lectern };
}

/** Statements and round trips of a query: `expect(await budget(…)).toEqual({ statements: 3, roundTrips: 1 })`. */
export async function budget(
  lectern: Lectern,
  person: Person,
  query: string,
  variables?: Record<string, unknown>,
): Promise<{ statements: number; roundTrips: number }> {
  const { cost } = await traced(lectern, person, query, variables);
  return { statements: cost.statements, roundTrips: cost.roundTrips };
}
