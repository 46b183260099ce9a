/** The rules of labels, on a table in memory. */
import { describe, expect, it } from "vitest";
import { badInput } from "../../src/errors.ts";
import {
  type LabelRepository,
  type LabelRow,
  LimitReachedError,
  NameTakenError,
} from "../../src/labels/label-repository.ts";
import { type LabelKind, LabelService } from "../../src/labels/label-service.ts";
import type { Viewer } from "../../src/viewer.ts";

type Shelf = LabelRow & { boards: number | null };
type Boards = { boards?: number | null };

const kind: LabelKind<Boards> = {
  type: "Shelf",
  plural: "shelves",
  most: 2,
  requireValid({ boards }) {
    if (boards === 0) throw badInput(["input", "boards"], "A shelf has boards.");
  },
};

class ShelvesInMemory implements LabelRepository<Shelf, Boards> {
  readonly rows = new Map<string, Shelf>();
  /** The writes, in order. */
  readonly writes: unknown[] = [];
  /** Thrown by the next write. */
  failure: Error | undefined;

  async create({ name, boards = null }: { name: string } & Boards) {
    this.#write(["create", name, boards]);
    const shelf = { id: `shelf-${this.rows.size + 1}`, name, boards, version: 1 };
    this.rows.set(shelf.id, shelf);
    return shelf;
  }

  async findByName(name: string) {
    return [...this.rows.values()].find((row) => row.name.toLowerCase() === name.toLowerCase()) ?? null;
  }

  async lock(id: string) {
    return this.rows.get(id) ?? null;
  }

  async update(id: string, changes: Partial<Shelf>) {
    this.#write(["update", id, changes]);
    const row = this.rows.get(id) as Shelf;
    return Object.assign(row, changes, { version: row.version + 1 });
  }

  async delete(id: string) {
    this.#write(["delete", id]);
    this.rows.delete(id);
  }

  #write(write: unknown) {
    if (this.failure) throw this.failure;
    this.writes.push(write);
  }
}

const editor = { id: "ed", role: "EDITOR", sessionId: "" } as const;

async function shelves({ viewer = editor as Viewer, names = ["Poetry", "Prose"] } = {}) {
  const labels = new ShelvesInMemory();
  for (const name of names) await labels.create({ name, boards: 3 });
  labels.writes.length = 0;
  return { labels, service: new LabelService({ kind, labels, viewer }) };
}

describe("a label", () => {
  it("is created with its trimmed name and its details", async () => {
    const { service, labels } = await shelves({ names: [] });
    const created = await service.create({ name: " \tPoetry\n", boards: 4 });
    expect(created).toEqual({ id: "shelf-1", name: "Poetry", boards: 4, version: 1 });
    expect(labels.writes).toEqual([["create", "Poetry", 4]]);
  });

  it.each(["a", "x".repeat(200)])("has a name of 1 to 200 characters, such as %s", async (name) => {
    const labels = new ShelvesInMemory();
    // A kind of labels without a rule of its own.
    const plain = { type: "Shelf", plural: "shelves", most: 2 };
    const service = new LabelService<Shelf, Boards>({ kind: plain, labels, viewer: editor });
    const { id } = await service.create({ name, boards: 0 });
    expect(await service.update({ id, expectedVersion: 1, name })).toMatchObject({ name, boards: 0, version: 2 });
  });

  it("is changed in what the input holds, and null is a value of a detail", async () => {
    const { service, labels } = await shelves();
    await service.update({ id: "shelf-1", expectedVersion: 1, name: " POETRY " });
    await service.update({ id: "shelf-1", expectedVersion: 2, boards: null });
    expect(labels.writes).toEqual([
      ["update", "shelf-1", { name: "POETRY" }],
      ["update", "shelf-1", { boards: null }],
    ]);
    expect(labels.rows.get("shelf-1")).toEqual({ id: "shelf-1", name: "POETRY", boards: null, version: 3 });
  });

  it("is not written by an input without changes", async () => {
    const { service, labels } = await shelves();
    expect(await service.update({ id: "shelf-2", expectedVersion: 1 })).toBe(labels.rows.get("shelf-2"));
    expect(labels.writes).toEqual([]);
  });

  it("is deleted, whatever its version is if the client names none", async () => {
    const { service, labels } = await shelves();
    await service.delete({ id: "shelf-1" });
    await service.delete({ id: "shelf-2", expectedVersion: 1 });
    expect(labels.writes).toEqual([
      ["delete", "shelf-1"],
      ["delete", "shelf-2"],
    ]);
  });
});

describe("the rules", () => {
  type Service = LabelService<Shelf, Boards>;
  const noShelf = { code: "NOT_FOUND", message: "The shelf does not exist.", details: { inputPath: ["input", "id"] } };
  const stale = {
    code: "CONFLICT",
    message: "The shelf is now at version 1.",
    current: { type: "Shelf", id: "shelf-1" },
  };
  const badName = {
    code: "BAD_USER_INPUT",
    message: "A name has 1 to 200 characters, none of them control characters.",
    details: { inputPath: ["input", "name"] },
  };
  const taken = {
    code: "DUPLICATE",
    message: 'The name is taken by the shelf "Prose": choose a different one.',
    details: { inputPath: ["input", "name"] },
  };
  const noBoards = { code: "BAD_USER_INPUT", message: "A shelf has boards." };

  it.each<[string, object, (service: Service) => Promise<unknown>]>([
    ["a blank name", badName, (it) => it.create({ name: " " })],
    ["a name of 201 characters", badName, (it) => it.create({ name: "x".repeat(201) })],
    ["a control character", badName, (it) => it.update({ id: "shelf-1", expectedVersion: 1, name: "a\u0000b" })],
    ["no name", badName, (it) => it.update({ id: "shelf-1", expectedVersion: 1, name: null })],
    ["the name of another label", taken, (it) => it.create({ name: "PROSE" })],
    [
      "its change to the name of another",
      taken,
      (it) => it.update({ id: "shelf-1", expectedVersion: 1, name: "prose" }),
    ],
    ["an invalid detail", noBoards, (it) => it.create({ name: "Plays", boards: 0 })],
    ["an invalid detail in a change", noBoards, (it) => it.update({ id: "shelf-1", expectedVersion: 1, boards: 0 })],
    ["another version", stale, (it) => it.update({ id: "shelf-1", expectedVersion: 2, boards: 1 })],
    ["another version of a deleted one", stale, (it) => it.delete({ id: "shelf-1", expectedVersion: 0 })],
    ["a missing label", noShelf, (it) => it.update({ id: "shelf-3", expectedVersion: 1, boards: 1 })],
    ["a missing label to delete", noShelf, (it) => it.delete({ id: "shelf-3" })],
  ])("refuse %s, and nothing is written", async (_, error, work) => {
    const { service, labels } = await shelves();
    await expect(work(service)).rejects.toMatchObject(error);
    expect(labels.writes).toEqual([]);
  });

  it.each<[Viewer, string]>([
    [null, "UNAUTHENTICATED"],
    [{ ...editor, role: "VIEWER" }, "FORBIDDEN"],
  ])("let %o change nothing", async (viewer, code) => {
    const { service, labels } = await shelves({ viewer });
    await expect(service.create({ name: "Plays" })).rejects.toMatchObject({ code });
    await expect(service.update({ id: "shelf-1", expectedVersion: 1, name: "A" })).rejects.toMatchObject({ code });
    await expect(service.delete({ id: "shelf-1" })).rejects.toMatchObject({ code });
    expect(labels.writes).toEqual([]);
  });

  it("name the limit when the table is full", async () => {
    const { service, labels } = await shelves();
    labels.failure = new LimitReachedError("full");
    await expect(service.create({ name: "Plays" })).rejects.toMatchObject({
      code: "INVALID_STATE",
      message: "There are 2 shelves already, the maximum: delete one that is not needed.",
      details: { inputPath: ["input"] },
    });
  });

  it("refuse a name that another transaction has just taken, and leave other failures alone", async () => {
    const { service, labels } = await shelves();
    labels.failure = new NameTakenError("taken");
    await expect(service.update({ id: "shelf-1", expectedVersion: 1, name: "Plays" })).rejects.toMatchObject({
      code: "DUPLICATE",
      message: "The name is taken by another shelf: choose a different one.",
    });
    labels.failure = new Error("another failure");
    await expect(service.create({ name: "Plays" })).rejects.toBe(labels.failure);
  });
});
