import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ApplicationError } from "../../src/errors.ts";
import { decodeGlobalId, encodeGlobalId, parseGlobalId, withGlobalIds } from "../../src/graphql/global-id.ts";

const uuid = "0199c0de-1234-7abc-8def-0123456789ab";
const raw = (text: string) => Buffer.from(text).toString("base64url");

describe("a global id", () => {
  it("holds a type and a UUID", () => {
    const typename = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,50}$/);
    fc.assert(
      fc.property(typename, fc.uuid(), (typename, id) => {
        expect(parseGlobalId(encodeGlobalId(typename, id))).toEqual({ typename, id });
      }),
    );
    expect(encodeGlobalId("Document", uuid)).toBe("RG9jdW1lbnQ6MDE5OWMwZGUtMTIzNC03YWJjLThkZWYtMDEyMzQ1Njc4OWFi");
  });

  it("is no other text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseGlobalId(text)).toBeUndefined();
      }),
    );
    const others = [
      "",
      raw("Document"),
      raw("Document:"),
      raw(`:${uuid}`),
      raw(uuid),
      raw(`Document:${uuid}:1`),
      raw(`Document:${uuid}:`),
      raw("Document:1"),
      raw(`Document:x${uuid}`),
      raw(`Document:${uuid}0`),
      raw(`Document:${uuid.toUpperCase()}`),
      raw(`Dökument:${uuid}`),
    ];
    for (const text of others) expect(parseGlobalId(text)).toBeUndefined();
  });

  it("has one form only, so that equal ids are equal texts", () => {
    const id = encodeGlobalId("User", uuid);
    for (const text of [`${id}=`, ` ${id}`, `${id}\n`, `${id}!`]) expect(parseGlobalId(text)).toBeUndefined();
  });

  it("is refused before it is read if it is longer than 200 characters", () => {
    // 200 characters are 150 bytes, 37 of them the colon and the UUID.
    const longest = encodeGlobalId("T".repeat(113), uuid);
    expect(longest.length).toBe(200);
    expect(parseGlobalId(longest)).toEqual({ typename: "T".repeat(113), id: uuid });
    expect(parseGlobalId(encodeGlobalId("T".repeat(114), uuid))).toBeUndefined();
  });
});

describe("the id of an argument", () => {
  const refusal = (globalId: string) => {
    try {
      return { accepted: decodeGlobalId("Document", globalId, ["input", "id"]) };
    } catch (error) {
      const { code, message, details } = error as ApplicationError;
      return { code, message, details };
    }
  };

  it("is that of a row of the expected type", () => {
    expect(refusal(encodeGlobalId("Document", uuid))).toEqual({ accepted: uuid });
  });

  it("is refused, with the argument's path, if it is of another type or no id", () => {
    const details = { inputPath: ["input", "id"] };
    expect(refusal(encodeGlobalId("User", uuid))).toEqual({
      code: "BAD_USER_INPUT",
      message: "This is an id of the type User: send one of the type Document.",
      details,
    });
    expect(refusal("x")).toEqual({ code: "BAD_USER_INPUT", message: "This is not an id of this server.", details });
  });
});

describe("the ids of the database in a value", () => {
  it("become global ids in objects that name their type, at any depth", () => {
    const other = uuid.replace("0", "1");
    const playlist = { __typename: "Playlist", id: other, name: "Noon" };
    const schedule = { __typename: "Schedule", id: uuid, playlist, others: [playlist, null] };
    const shown = { ...playlist, id: encodeGlobalId("Playlist", other) };
    expect(withGlobalIds({ schedule, at: [schedule] })).toEqual({
      schedule: { ...schedule, id: encodeGlobalId("Schedule", uuid), playlist: shown, others: [shown, null] },
      at: [{ ...schedule, id: encodeGlobalId("Schedule", uuid), playlist: shown, others: [shown, null] }],
    });
    expect(playlist.id).toBe(other);
  });

  it("stay in other objects, and so do all other values", () => {
    const at = new Date(0);
    const value = {
      plain: { id: uuid },
      global: { __typename: "User", id: encodeGlobalId("User", uuid) },
      numbered: { __typename: 1, id: uuid },
      without: { __typename: "User" },
      values: [1, 2n, "x", true, null, undefined, at],
    };
    expect(withGlobalIds(value)).toEqual(value);
    expect((withGlobalIds(value) as typeof value).values.at(-1)).toBe(at);
    for (const one of [uuid, 1, null, undefined]) expect(withGlobalIds(one)).toBe(one);
  });
});
