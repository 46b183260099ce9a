import { GraphQLError } from "graphql";
import { StagedFile } from "../storage/file-store.ts";
import { builder } from "./builder.ts";

builder.scalarType("DateTime", {
  description: "A time in RFC 3339, such as 2026-11-21T09:00:00Z, in the years 1 to 9999. Answers are in UTC.",
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const time = typeof value === "string" && rfc3339.test(value) ? new Date(value) : undefined;
    if (!time || Number.isNaN(time.getTime()) || !isDay(String(value).slice(0, 10))) {
      throw new GraphQLError("A DateTime is RFC 3339, such as 2026-11-21T09:00:00Z.");
    }
    if (!hasYear(time)) throw new GraphQLError("A DateTime is in the years 1 to 9999, in UTC.");
    return time;
  },
});

builder.scalarType("Date", {
  description: "A day, such as 2026-11-27.",
  serialize: (day) => day,
  parseValue: (day) => {
    if (typeof day !== "string" || !/^\d{4}-\d\d-\d\d$/.test(day) || !isDay(day)) {
      throw new GraphQLError("A Date is a day of the calendar, such as 2026-11-27.");
    }
    return day;
  },
});

/** False for days such as February 30, which `Date` takes for March 2. */
const isDay = (date: string) => new Date(`${date}T00:00:00Z`).toJSON()?.startsWith(date) === true;

/** False for years that ISO 8601 and PostgreSQL write differently; an offset leads to them, too. */
const hasYear = (time: Date) => time.getUTCFullYear() >= 1 && time.getUTCFullYear() <= 9999;

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

builder.scalarType("Bytes", {
  description: "A whole number of bytes, up to 2^53 - 1: more than an Int holds.",
  serialize: (value) => Number(value),
  parseValue: (value) => {
    if (!Number.isSafeInteger(value) || Number(value) < 0) throw new GraphQLError("Bytes is a whole number.");
    return BigInt(Number(value));
  },
});

builder.scalarType("File", {
  description: "A file, sent as the GraphQL multipart request specification says. Input only.",
  serialize: () => {
    throw new GraphQLError("A File only goes in.");
  },
  parseValue: (value) => {
    if (!(value instanceof StagedFile)) throw new GraphQLError("A File is sent as a part of a multipart request.");
    return value;
  },
});
