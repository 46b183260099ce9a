import { describe, expect, it } from "vitest";
import { fieldNameOf, nounOf, withArticle } from "../src/type-names.ts";

describe("the name of a type", () => {
  it("is that of a field with a small letter", () => {
    expect(["Document", "ChunkHit", "A"].map(fieldNameOf)).toEqual(["document", "chunkHit", "a"]);
  });

  it("is a noun of small words in descriptions", () => {
    expect(["Document", "PlaylistItem", "ADocumentOfMine"].map(nounOf)).toEqual([
      "document",
      "playlist item",
      "adocument of mine",
    ]);
  });

  it("has the article that its first letter requires", () => {
    expect(
      ["Document", "Audio", "Event", "Item", "Original", "User", "Unit", "Upload", "PlaylistItem"].map(withArticle),
    ).toEqual([
      "a document",
      "an audio",
      "an event",
      "an item",
      "an original",
      "a user",
      "a unit",
      "an upload",
      "a playlist item",
    ]);
  });
});
