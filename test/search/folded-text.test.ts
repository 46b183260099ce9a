/** What the database folds for its indexes and what we fold for a search are the same. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fold } from "../../src/search/folded-text.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { randomFrom } from "../support/random-library.ts";

const seed = Number(process.env.LECTERN_SEED ?? Date.now() % 1_000_000);

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

/** From the first character that PostgreSQL's texts hold (they hold no U+0000) to the end of Vietnamese. */
const characters = Array.from({ length: 0x1eff }, (_, index) => String.fromCodePoint(index + 1));

/** Marks that are younger than the Unicode of PostgreSQL 15, which cannot tell the order of several at one letter. */
const young = /\u0897|\u0ece|[\u1acf-\u1add\u1ae0-\u1aeb]/;
const settled = characters.filter((character) => !young.test(character));

/** By the SQL function `fold`. */
async function folded(texts: readonly string[]): Promise<string[]> {
  const [row] = await database.query(
    "select array_agg(fold(text) order by place) as folded from unnest($1::text[]) with ordinality t(text, place)",
    [texts],
  );
  return row?.folded as string[];
}

const shown = (text: string) => [...text].map((character) => character.codePointAt(0)?.toString(16)).join(" ");

async function expectAgreement(texts: readonly string[]): Promise<void> {
  const bySql = await folded(texts);
  const different = texts.flatMap((text, index) => {
    const [sql, ours] = [bySql[index] as string, fold(text)];
    return sql === ours ? [] : [`${shown(text)}: ${shown(sql)} by SQL, ${shown(ours)} here`];
  });
  expect(different).toEqual([]);
}

describe("SQL and TypeScript fold alike", () => {
  it("every character from U+0001 to U+1EFF", () => expectAgreement(characters));

  it("and each of them between letters, where some change with what stands beside them", () =>
    expectAgreement(characters.map((character) => `A${character}B ${character}`)));

  it(`and 20,000 random texts of them (LECTERN_SEED=${seed})`, async () => {
    const random = randomFrom(seed);
    const pick = () => settled[Math.floor(random() * settled.length)] as string;
    const texts = Array.from({ length: 20_000 }, () => Array.from({ length: 1 + random() * 12 }, pick).join(""));
    await expectAgreement(texts);
    await expectAgreement(texts.map((text) => text.normalize("NFC")));
  });

  it("U+0000 is in no text of the database", async () => {
    await expect(folded(["\0"])).rejects.toThrow("invalid byte sequence");
  });
});

describe("folding", () => {
  it("does not depend on the collation of the text, nor of the database", async () => {
    expect(await database.query(`select fold('ΔЖ ÉĐ' collate "C") as folded`)).toEqual([{ folded: "δж ed" }]);
  });

  it("leaves of Vietnamese only its plain letters, composed or not", () => {
    const letters = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵđ";
    const plain = [
      "a".repeat(18),
      "e".repeat(12),
      "i".repeat(6),
      "o".repeat(18),
      "u".repeat(12),
      "y".repeat(6),
      "d",
    ].join("");
    for (const form of ["NFC", "NFD"]) {
      expect(fold(letters.normalize(form))).toBe(plain);
      expect(fold(letters.toUpperCase().normalize(form))).toBe(plain);
    }
  });
});
