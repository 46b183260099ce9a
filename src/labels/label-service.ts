/** The rules of labels: editors keep them, and each has a name of its own. */
import { ApplicationError, requireVersion } from "../errors.ts";
import { requireShortText } from "../short-text.ts";
import { requireRole, type Viewer } from "../viewer.ts";
import { type LabelRepository, type LabelRow, LimitReachedError, NameTakenError } from "./label-repository.ts";

export type LabelKind<Details extends object = object> = {
  /** The GraphQL type. */
  type: string;
  /** Several of them, in messages. */
  plural: string;
  /** Number of labels that the table holds at most, as its migration says. */
  most: number;
  /** Checks a label as it would be saved. @throws ApplicationError BAD_USER_INPUT */
  requireValid?(details: Details): void;
};

export type NewLabel<Details> = { name: string } & Details;
export type LabelChanges<Details> = { id: string; expectedVersion: number; name?: string | null } & Partial<Details>;
export type ExistingLabel = { id: string; expectedVersion?: number | null };

export type LabelServiceParts<Row extends LabelRow, Details extends object> = {
  kind: LabelKind<Details>;
  labels: LabelRepository<Row, Details>;
  viewer: Viewer;
};

export class LabelService<Row extends LabelRow, Details extends object = object> {
  readonly #parts: LabelServiceParts<Row, Details>;

  constructor(parts: LabelServiceParts<Row, Details>) {
    this.#parts = parts;
  }

  /** The label with this name, without regard to case and accents. All readers see all labels. */
  findByName(name: string): Promise<Row | null> {
    return this.#parts.labels.findByName(name);
  }

  async create(input: NewLabel<Details>): Promise<Row> {
    const { kind, labels } = this.#parts;
    this.#requireEditor();
    const label = { ...input, name: requireName(input.name) };
    kind.requireValid?.(label);
    await this.#requireFree(label.name);
    return this.#save(() => labels.create(label));
  }

  async update({ id, expectedVersion, ...input }: LabelChanges<Details>): Promise<Row> {
    const { kind, labels } = this.#parts;
    this.#requireEditor();
    const changes = { ...input, ...(input.name === undefined ? {} : { name: requireName(input.name) }) } as Partial<
      NewLabel<Details>
    >;
    const label = await this.#lock(id, expectedVersion);
    kind.requireValid?.({ ...label, ...changes } as unknown as Details);
    if (changes.name !== undefined) await this.#requireFree(changes.name, id);
    return Object.keys(changes).length === 0 ? label : this.#save(() => labels.update(id, changes));
  }

  /** Rows that refer to the label stay. */
  async delete({ id, expectedVersion }: ExistingLabel): Promise<void> {
    this.#requireEditor();
    await this.#lock(id, expectedVersion);
    await this.#parts.labels.delete(id);
  }

  #requireEditor(): void {
    requireRole(this.#parts.viewer, "EDITOR");
  }

  /** Locks the label, and checks that the viewer has read its current version. */
  async #lock(id: string, expectedVersion: number | null | undefined): Promise<Row> {
    const { kind, labels } = this.#parts;
    const label = await labels.lock(id);
    if (!label) {
      throw new ApplicationError("NOT_FOUND", `The ${kind.type.toLowerCase()} does not exist.`, {
        inputPath: ["input", "id"],
      });
    }
    return requireVersion(kind.type, label, expectedVersion);
  }

  /** @param id the label that may have the name already */
  async #requireFree(name: string, id?: string): Promise<void> {
    const present = await this.#parts.labels.findByName(name);
    if (present && present.id !== id) throw this.#duplicate(present.name);
  }

  async #save(write: () => Promise<Row>): Promise<Row> {
    const { most, plural } = this.#parts.kind;
    try {
      return await write();
    } catch (error) {
      if (error instanceof NameTakenError) throw this.#duplicate(undefined, error);
      if (!(error instanceof LimitReachedError)) throw error;
      const message = `There are ${most} ${plural} already, the maximum: delete one that is not needed.`;
      throw new ApplicationError("INVALID_STATE", message, { inputPath: ["input"] }, error);
    }
  }

  #duplicate(present?: string, cause?: unknown): ApplicationError {
    const noun = this.#parts.kind.type.toLowerCase();
    const owner = present === undefined ? `another ${noun}` : `the ${noun} ${JSON.stringify(present)}`;
    const message = `The name is taken by ${owner}: choose a different one.`;
    return new ApplicationError("DUPLICATE", message, { inputPath: ["input", "name"] }, cause);
  }
}

const requireName = (name: string | null) => requireShortText(name, { field: "name", longest: 200 });
