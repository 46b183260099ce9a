import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeText, toUtf8, UnreadableTextError } from "../../../src/documents/reading/encoding.ts";

const bytesOf = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))));
const utf16 = (text: string, isBigEndian = false) => {
  const bytes = Buffer.from(text, "utf16le");
  return isBigEndian ? bytes.swap16() : bytes;
};
const failureOf = (decode: () => unknown) => {
  try {
    return `decoded: ${decode()}`;
  } catch (error) {
    expect(error).toBeInstanceOf(UnreadableTextError);
    expect((error as Error).name).toBe("UnreadableTextError");
    return (error as Error).message;
  }
};

describe("a text in UTF-8", () => {
  it("is read as it is", () => {
    const unit = fc.constantFrom("a", "\n", "\x1b", "\x80", "é", "ờ", "\u0301", "\ufeff", "\uffff", "💡");
    const text = fc.string({ unit, maxLength: 8 });
    fc.assert(
      fc.property(text, (text) => {
        expect(decodeText(Buffer.from(text))).toBe(text.replace(/^\ufeff/, ""));
        expect(toUtf8(Buffer.from(text)).toString()).toBe(text.replace(/^\ufeff/, ""));
      }),
    );
  });

  it("is a view of its bytes, without the byte order mark", () => {
    const plain = Buffer.from("Người");
    expect(toUtf8(plain)).toBe(plain);
    const marked = Buffer.from("\ufeffNgười");
    expect(toUtf8(marked)).toEqual(plain);
    expect(toUtf8(marked).buffer).toBe(marked.buffer);
    expect(decodeText(marked)).toBe("Người");
  });

  it("is refused if some of it is damaged, since a guess would be wrong", () => {
    const damaged = bytesOf([...Buffer.from("Người Việt Nam ")], [0xff, 0x21]);
    expect(failureOf(() => decodeText(damaged))).toBe("It is UTF-8 text with invalid bytes.");
    expect(failureOf(() => toUtf8(damaged))).toBe("It is UTF-8 text with invalid bytes.");
  });

  it("is refused if it has NUL characters, which are no text", () => {
    expect(failureOf(() => decodeText(Buffer.from("a\0b")))).toBe("It contains NUL characters.");
    expect(failureOf(() => toUtf8(Buffer.from("a\0b")))).toBe("It contains NUL characters.");
    expect(failureOf(() => toUtf8(Buffer.from("\ufeffa\0b")))).toBe("It contains NUL characters.");
  });
});

describe("a text with a byte order mark", () => {
  it("is read in UTF-16, of either order", () => {
    for (const isBigEndian of [false, true]) {
      const bytes = utf16("\ufeffNgười 💡", isBigEndian);
      expect(decodeText(bytes)).toBe("Người 💡");
      expect(toUtf8(bytes)).toEqual(Buffer.from("Người 💡"));
    }
  });

  it("has memory of its own, which can be transferred to another thread", () => {
    const { buffer, byteLength } = toUtf8(utf16("\ufeffEmma"));
    expect(buffer.byteLength).toBe(byteLength);
  });

  it("is refused if the rest is invalid", () => {
    const message = (encoding: string) =>
      `It begins with the byte order mark of ${encoding}, but is not valid ${encoding}.`;
    expect(failureOf(() => decodeText(bytesOf([0xef, 0xbb, 0xbf, 0xff])))).toBe(message("utf-8"));
    expect(failureOf(() => decodeText(bytesOf([0xff, 0xfe, 0x00, 0xd8])))).toBe(message("utf-16le"));
    expect(failureOf(() => decodeText(bytesOf([0xfe, 0xff, 0xd8, 0x00])))).toBe(message("utf-16be"));
  });

  it("needs the whole mark", () => {
    expect(decodeText(bytesOf("Voil", [0xe0], " un texte fran", [0xe7], "ais, tr", [0xe8], "s ordinaire."))).toBe(
      "Voilà un texte français, très ordinaire.",
    );
    for (const start of [[0xef], [0xef, 0xbb], [0xff], [0xfe]]) {
      expect(failureOf(() => decodeText(bytesOf(start)))).not.toMatch("byte order mark");
    }
    for (const start of [
      [0x41, 0xbb, 0xbf],
      [0x41, 0xfe],
      [0x41, 0xff],
    ]) {
      expect(failureOf(() => decodeText(bytesOf(start)))).toBe("Its encoding was not recognised. Save it as UTF-8.");
    }
  });
});

describe("a page that declares its encoding", () => {
  const page = (encoding: string, ...rest: (string | number[])[]) =>
    bytesOf(`<meta charset="${encoding}"><p>`, ...rest);

  it("is read in it", () => {
    expect(decodeText(page("windows-1252", [0x80, 0x93, 0xe9]), true)).toContain("<p>€“é");
    expect(decodeText(page("iso-8859-7", [0xe1, 0xe2, 0xe3]), true)).toContain("<p>αβγ");
  });

  it("has every character of windows-1252, which some versions of Node confuse with Latin-1", () => {
    const bytes = Array.from({ length: 32 }, (_, index) => 0x80 + index);
    expect(decodeText(page("iso-8859-1", bytes), true)).toContain(
      "<p>€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ",
    );
  });

  it("is read as UTF-8 if it is that, whatever it declares", () => {
    expect(decodeText(page("windows-1252", [...Buffer.from("Người")]), true)).toContain("<p>Người");
    expect(decodeText(page("utf-8", [...Buffer.from("Người")]), true)).toContain("<p>Người");
  });

  it("in plain ASCII is read as declared, since some encodings are written with it", () => {
    expect(decodeText(page("iso-2022-jp", [0x1b], '$B$"', [0x1b], "(B"), true)).toContain("<p>あ");
    expect(decodeText(bytesOf("<p>plain"), true)).toBe("<p>plain");
  });

  it("is refused if it is invalid in its encoding", () => {
    expect(failureOf(() => decodeText(page("utf-8", [0xe9]), true))).toBe(
      "It declares the encoding UTF-8, but is not valid UTF-8.",
    );
  });

  it("is a text like any other if it is not read as a page", () => {
    const bytes = page("iso-8859-7", "Voil", [0xe0], " un texte fran", [0xe7], "ais, tr", [0xe8], "s ordinaire.");
    expect(decodeText(bytes)).toContain("Voilà un texte français, très ordinaire.");
    expect(decodeText(bytes, true)).toContain("Voilΰ");
  });
});

describe("a text in another encoding", () => {
  it("is guessed", () => {
    const french = bytesOf(
      "C'",
      [0xe9],
      "tait l'",
      [0xe9],
      "t",
      [0xe9],
      ", tr",
      [0xe8],
      "s t",
      [0xf4],
      "t, ",
      [0x93],
      "d",
      [0xe9],
      "j",
      [0xe0],
      [0x94],
      ".",
    );
    expect(decodeText(french)).toBe("C'était l'été, très tôt, “déjà”.");
    expect(toUtf8(french)).toEqual(Buffer.from("C'était l'été, très tôt, “déjà”."));
  });

  it("is found after any amount of plain ASCII", () => {
    const french = ["C'", [0xe9], "tait l'", [0xe9], "t", [0xe9], ", tr", [0xe8], "s t", [0xf4], "t."];
    const text = decodeText(
      bytesOf("plain text. ".repeat(10_000), ...french, " Voil", [0xe0], " un texte fran", [0xe7], "ais."),
    );
    expect(text.slice(-48)).toBe(" C'était l'été, très tôt. Voilà un texte français.".slice(-48));
  });

  it("has composed letters, unless marks are stacked on one letter", () => {
    const vietnamese = bytesOf(
      "Tr",
      [0xe3],
      "m n",
      [0xe3],
      "m trong c",
      [0xf5],
      "i ng",
      [0xfd, 0xf0, 0xcc],
      "i ta, ch",
      [0xfd, 0xde],
      " t",
      [0xe0],
      "i. ",
    );
    const repeated = Buffer.concat(Array(20).fill(vietnamese));
    const text = decodeText(repeated);
    expect(text).toBe(text.normalize("NFC"));
    const marks = Buffer.alloc(20, 0xcc);
    const stacked = decodeText(Buffer.concat([repeated, Buffer.from("o"), marks]));
    expect(stacked).not.toBe(stacked.normalize("NFC"));
  });

  it("is refused if a guess is improbable, or makes control characters", () => {
    const message = "Its encoding was not recognised. Save it as UTF-8.";
    expect(failureOf(() => decodeText(bytesOf([0xb5, 0xb6, 0xb7])))).toBe(message);
    const french = ["Voil", [0xe0], " un texte fran", [0xe7], "ais, tr", [0xe8], "s ordinaire."];
    expect(failureOf(() => decodeText(bytesOf(...french)))).toBe("decoded: Voilà un texte français, très ordinaire.");
    expect(failureOf(() => decodeText(bytesOf(...french, [0x01])))).toBe(message);
  });

  it("is refused if it is none", () => {
    const message = "Its encoding was not recognised. Save it as UTF-8.";
    expect(failureOf(() => decodeText(bytesOf([0x81, 0x02, 0xff, 0x03])))).toBe(message);
    expect(failureOf(() => toUtf8(bytesOf([0x81, 0x02, 0xff, 0x03])))).toBe(message);
  });
});
