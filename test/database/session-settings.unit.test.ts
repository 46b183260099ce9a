import { expect, it } from "vitest";
import { sessionSettings } from "../../src/database/session-settings.ts";

const address = "postgresql://ada:secret@localhost:5432/lectern";
const settings = { statement_timeout: 5_000, default_transaction_read_only: "on" };
const added = "-c statement_timeout=5000 -c default_transaction_read_only=on";

it.each([
  ["", address, added],
  ["?options=-c%20role%3Dreader", address, `-c role=reader ${added}`],
  ["?sslmode=require&options=-c%20role%3Dreader", `${address}?sslmode=require`, `-c role=reader ${added}`],
  ["?application_name=a%20b%3Fc", `${address}?application_name=a+b%3Fc`, added],
])("settings of a session come after the options of a URL that ends in %j", (end, connectionString, options) => {
  expect(sessionSettings(`${address}${end}`, settings)).toEqual({ connectionString, options });
});
