/** Which clients see the statements of their operation. */
import { describe, expect, it } from "vitest";
import { Trace } from "../../src/eager-loading/trace.ts";
import type { OperationContext } from "../../src/graphql/context.ts";
import { withTrace } from "../../src/operations/trace-plugin.ts";

function shown(header: string | null, mayTrace: boolean) {
  const trace = new Trace();
  trace.batches.push({ relation: "UserById", keys: 1, rows: 2, ms: 1.23456, planned: true });
  const request = new Request("http://lectern.test", { headers: header === null ? {} : { "lectern-trace": header } });
  const result = { data: { a: 1 }, extensions: { other: 1, lectern: { dryRun: true } } };
  return withTrace(result, { request, trace } as OperationContext, { mayTrace: () => mayTrace });
}

describe("the statements of an operation", () => {
  it("are shown to a client that requests them and may see them, beside what is shown already", () => {
    expect(shown("1", true)).toEqual({
      data: { a: 1 },
      extensions: {
        other: 1,
        lectern: {
          dryRun: true,
          statements: 1,
          rows: 2,
          roundTrips: 0,
          ms: 1.23,
          batches: [{ relation: "UserById", keys: 1, rows: 2, ms: 1.23, planned: true }],
        },
      },
    });
  });

  it.each([
    ["that does not request them", null, true],
    ["that requests something else", "0", true],
    ["that must not see them", "1", false],
  ])("are not shown to a client %s", (_case, header, mayTrace) => {
    expect(shown(header, mayTrace)).toEqual({ data: { a: 1 }, extensions: { other: 1, lectern: { dryRun: true } } });
  });
});
