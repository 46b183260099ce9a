import { describe, expect, it } from "vitest";
import { refusalOf } from "../../src/database/refusal.ts";
import { ApplicationError } from "../../src/errors.ts";

const errorOf = (code: string, values: object) => Object.assign(new Error(JSON.stringify(values)), { code });

describe("a refusal by a trigger", () => {
  it("is an error of the application, with the trigger's code, message and details", () => {
    const schedule = { __typename: "Schedule", id: "1", channel: "Radio" };
    const error = errorOf("LT004", { code: "SCHEDULE_OVERLAP", message: "Choose another time.", schedule });
    const refusal = refusalOf(error);
    expect(refusal).toBeInstanceOf(ApplicationError);
    expect({ ...refusal, message: refusal?.message, cause: refusal?.cause }).toEqual({
      name: "ApplicationError",
      code: "SCHEDULE_OVERLAP",
      message: "Choose another time.",
      details: { schedule },
      cause: error,
    });
  });

  it("has no details where the trigger gives none", () => {
    expect(refusalOf(errorOf("LT004", { code: "INVALID_STATE", message: "No." }))?.details).toEqual({});
  });

  it("is no other error of the database", () => {
    for (const code of ["LT003", "23514", "P2010"]) {
      expect(refusalOf(errorOf(code, { code: "INVALID_STATE", message: "No." }))).toBeUndefined();
    }
    expect(refusalOf(undefined)).toBeUndefined();
  });
});
