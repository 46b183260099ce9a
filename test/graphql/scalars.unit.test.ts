import { GraphQLError, type GraphQLScalarType, Kind } from "graphql";
import { beforeAll, describe, expect, it } from "vitest";
import { buildSchema } from "../../src/graphql/schema.ts";
import { slices } from "../../src/slices.ts";
import { StagedFile } from "../../src/storage/file-store.ts";

let scalars: Record<"DateTime" | "Date" | "Bytes" | "File", GraphQLScalarType>;
beforeAll(async () => {
  scalars = (await buildSchema(slices)).getTypeMap() as typeof scalars;
});

describe("a DateTime", () => {
  const refused = "A DateTime is RFC 3339, such as 2026-11-21T09:00:00Z.";

  it("is shown in UTC, with milliseconds", () => {
    expect(scalars.DateTime.serialize(new Date(0))).toBe("1970-01-01T00:00:00.000Z");
  });

  it("is read in every form of RFC 3339, from variables and from the query", () => {
    const forms = [
      "2026-11-21T09:00:00Z",
      "2026-11-21t09:00:00z",
      "2026-11-21T11:30:00+02:30",
      "2026-11-21T05:00:00.000-04:00",
      "2026-11-21T09:00:00.000000Z",
      "2026-11-21T09:00:00.0Z",
    ];
    for (const form of forms) expect(scalars.DateTime.parseValue(form)).toEqual(new Date("2026-11-21T09:00:00Z"));
    expect(scalars.DateTime.parseLiteral({ kind: Kind.STRING, value: "2026-11-21T09:00:00Z" })).toEqual(
      new Date("2026-11-21T09:00:00Z"),
    );
  });

  it("is refused in every other form, although JavaScript reads some of them", () => {
    const others = [
      "",
      "2026-11-21",
      "2026-11-21T09:00Z",
      "2026-11-21T09:00:00",
      "2026-11-21T09:00:00.Z",
      "2026-11-21 09:00:00Z",
      "2026-11-21T09:00:00+0200",
      " 2026-11-21T09:00:00Z",
      "2026-11-21T09:00:00Z ",
      "22026-11-21T09:00:00Z",
      "2026-11-21T09:00:00+02:001",
      "2026-13-21T09:00:00Z",
      "2026-11-31T09:00:00Z",
      "2026-02-29T09:00:00Z",
      "2026-11-21T25:00:00Z",
      0,
      null,
      new Date(0),
      ["2026-11-21T09:00:00Z"],
    ];
    for (const other of others) expect(() => scalars.DateTime.parseValue(other)).toThrow(new GraphQLError(refused));
  });

  it("is in a year of four digits, in UTC", () => {
    for (const form of ["0001-01-01T00:00:00Z", "0000-12-31T23:00:00-01:00", "9999-12-31T23:59:59.999Z"]) {
      expect(scalars.DateTime.parseValue(form)).toEqual(new Date(form));
    }
    for (const form of ["0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:00-00:01"]) {
      expect(() => scalars.DateTime.parseValue(form)).toThrow(
        new GraphQLError("A DateTime is in the years 1 to 9999, in UTC."),
      );
    }
  });
});

describe("a Date", () => {
  it("is a text in the form of ISO 8601, and stays as it is", () => {
    for (const day of ["2026-11-27", "2028-02-29", "0001-01-01", "9999-12-31"]) {
      expect(scalars.Date.parseValue(day)).toBe(day);
      expect(scalars.Date.serialize(day)).toBe(day);
    }
    expect(scalars.Date.parseLiteral({ kind: Kind.STRING, value: "2026-11-27" })).toBe("2026-11-27");
  });

  it("is refused in every other form, and if the calendar has no such day", () => {
    const refused = new GraphQLError("A Date is a day of the calendar, such as 2026-11-27.");
    const others = ["", "2026-11-31", "2026-02-29", "2026-13-01", "2026-1-1", "26-11-27", "22026-11-27"];
    for (const other of [...others, " 2026-11-27", "2026-11-27T00:00:00Z", 0, null, new Date(0), ["2026-11-27"]]) {
      expect(() => scalars.Date.parseValue(other)).toThrow(refused);
    }
  });
});

describe("a number of Bytes", () => {
  it("may be larger than an Int", () => {
    expect(scalars.Bytes.serialize(2n ** 40n)).toBe(2 ** 40);
    expect(scalars.Bytes.parseValue(2 ** 53 - 1)).toBe(2n ** 53n - 1n);
    expect(scalars.Bytes.parseValue(0)).toBe(0n);
  });

  it("is refused if it is no whole number, or less than nothing", () => {
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN, "1", null]) {
      expect(() => scalars.Bytes.parseValue(value)).toThrow(new GraphQLError("Bytes is a whole number."));
    }
  });
});

describe("a File", () => {
  const file = new StagedFile({ id: "1", name: "a.txt", sizeBytes: 1, sha256: "0", head: new Uint8Array(1) });

  it("is one that was received, not one that a client describes", () => {
    expect(scalars.File.parseValue(file)).toBe(file);
    for (const value of [{ ...file }, "a.txt", null]) {
      expect(() => scalars.File.parseValue(value)).toThrow(
        new GraphQLError("A File is sent as a part of a multipart request."),
      );
    }
  });

  it("is never shown", () => {
    expect(() => scalars.File.serialize(file)).toThrow(new GraphQLError("A File only goes in."));
  });
});
