import { describe, expect, it } from "vitest";
import { raw } from "../../src/eager-loading/sql.ts";
import { fold, foldedMatch } from "../../src/search/folded-text.ts";
import { shown } from "../support/shelves.ts";

const column = raw('t."title_folded"');
const match = (search: string) => {
  const found = foldedMatch(column, search);
  return found && shown(found);
};

describe("folding", () => {
  it("leaves plain letters in lower case", () => {
    expect(fold("Đường Điện Biên Phủ")).toBe("duong dien bien phu");
    expect(fold("Crème Brûlée, 2 œufs")).toBe("creme brulee, 2 œufs");
    expect(fold("ΟΔΥΣΣΕΥΣ ὈΔΥΣΣΕΎΣ ς")).toBe("οδυσσευσ ὀδυσσευσ σ".normalize("NFD").replace(/[\u0300-\u036f]/g, ""));
  });
});

describe("the condition of a search in folded texts", () => {
  const likeness = "(select set_config('pg_trgm.word_similarity_threshold', $1, true)) is not null";

  it("finds texts that contain the search, or are like it with all of its words", () => {
    expect(match("  Điện \t Biên ")).toEqual({
      text: `/* planned each time */ ${likeness} and (t."title_folded" like $2 or ($3 <% t."title_folded" and has_words_like(t."title_folded", $4::text[])))`,
      values: ["0.6", "%dien bien%", "dien bien", ["dien", "bien"]],
    });
  });

  it("tolerates no mistakes in fewer than three letters", () => {
    expect(match("Bồ")).toEqual({ text: '/* planned each time */ t."title_folded" like $1', values: ["%bo%"] });
    expect(match("bồi")?.values).toEqual(["0.6", "%boi%", "boi", ["boi"]]);
  });

  it("takes the characters that `like` interprets as ordinary ones", () => {
    expect(match("%")?.values).toEqual(["%\\%%"]);
    expect(match("50%_\\")?.values[1]).toBe("%50\\%\\_\\\\%");
  });

  it("is none for a blank search, which matches every text", () => {
    expect(match("")).toBeUndefined();
    expect(match(" \n ")).toBeUndefined();
  });
});
