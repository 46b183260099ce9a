/**
 * The scanners that read what comes from outside: they answer as the regular expressions before them did, which stand
 * here as the reference, but in time that grows with the text and not with its square.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentOfText } from "../../src/documents/reading/content.ts";
import { decodeText, toUtf8 } from "../../src/documents/reading/encoding.ts";
import { beginsPage, beginsPiece } from "../../src/documents/reading/sniffing.ts";
import { cleanTitle, firstHeading, titleElement } from "../../src/documents/reading/title.ts";
import { expectLinear, growthOf } from "../support/growth.ts";

const seed = Number(process.env.LECTERN_SEED ?? 20_261_126);
const numRuns = Number(process.env.LECTERN_RUNS ?? 20_000);

/** Short texts made of what the expressions look for, and of anything. */
const textOf = (...words: string[]) =>
  fc
    .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...words) }, fc.string({ maxLength: 3, unit: "binary" })), {
      maxLength: 10,
    })
    .map((parts) => parts.join(""));

function expectSame<Answer>(scanner: (text: string) => Answer, old: (text: string) => Answer, ...words: string[]) {
  let told = 0;
  const property = fc.property(textOf(...words), (text) => {
    const expected = old(text);
    if (expected !== old("")) told++;
    expect(scanner(text)).toEqual(expected);
  });
  fc.assert(property, { seed, numRuns });
  // The texts are such that there is something to find in some of them.
  expect(told).toBeGreaterThan(numRuns / 50);
}

describe("a page", () => {
  const old = /^(?:\s|<!--[\s\S]*?-->|<\?xml[^>]*>)*<(?:!doctype\s+html|html|head|title|meta|body|style|script)[\s/>]/i;

  it.each([
    "<html>",
    "<HEAD>",
    "<body/>",
    "<script\n",
    "<!doctype html>",
    "<!DOCTYPE \n\t HTML PUBLIC>",
    " \n\u00a0\ufeff<title>",
    "<?xml version='1.0'?><html>",
    "<?XML?> <?xml?>\n<!-- a --> <!----><html>",
    "<!-- <p> --> <!-- -- > -> --><meta charset=x>",
    "<!-- a --> not yet --><html>",
    "<!--<!----><html>",
    "<!-- --><?xml --><style>",
  ])("begins in %j", (text) => expect(beginsPage(text)).toBe(true));

  it.each([
    "",
    " ",
    "<",
    "<htm>",
    "<html",
    "<htmlx>",
    "<!doctypehtml>",
    "<!doctype xml>",
    "< html>",
    "x<html>",
    "<p><html>",
    "<!--><html>",
    "<!---><html>",
    "<!-- <html>",
    "<!-- --> x <html>",
    "<?xml <html",
    "<?xml -- <html",
    "<!---->".repeat(40),
  ])("does not begin in %j", (text) => expect(beginsPage(text)).toBe(false));

  it("begins where the expression said so", () => {
    const words = ["<!--", "-->", "--", ">", "<", "<?xml", " ", "\n", "<html>", "<title", "!doctype", "html", "/", "x"];
    expectSame(beginsPage, (text) => old.test(text), "<!-- -->", ...words);
  });
});

describe("a piece of HTML", () => {
  const old =
    /^\s*<(?:!--|(?:h[1-6]|div|p|a|b|br|table|ul|ol|font|iframe|article|section|main|header|nav|img|span)[\s/>])/i;

  it("begins with one of its tags or a comment, after white space", () => {
    for (const text of ["<p>", " \n<H1 ", "<br/>", "<!--", "\ufeff<a\n"]) expect(beginsPiece(text), text).toBe(true);
    for (const text of ["", "  ", "<", "<h7>", "<px>", "<p", "x<p>", "<!-"])
      expect(beginsPiece(text), text).toBe(false);
  });

  it("begins where the expression said so", () => {
    const words = ["<", "<p>", "<H1", "<!--", " ", "\n", ">", "/", "br", "div", "\u2003"];
    expectSame(beginsPiece, (text) => old.test(text), ...words);
  });
});

describe("a heading", () => {
  const old = /^#{1,6}[ \t]+(\S.*?)[ \t]*#*$/m;

  it.each([
    ["# A title", "A title"],
    ["###### \t A title \t ###", "A title"],
    ["No title\r\n## A title\r\nText", "A title"],
    ["\u2028# A\u2029# B", "A"],
    ["# #", "#"],
    ["# ###", "#"],
    ["# a#", "a"],
    ["# a # b #", "a # b"],
    ["# a\u00a0 #", "a\u00a0"],
    ["#\n# Second", "Second"],
    ["####### Seven\n # Indented\n#None\n#\u00a0None\n# \u00a0None", undefined],
    ["", undefined],
  ])("of %j is %j", (text, title) => expect(firstHeading(text)).toBe(title));

  it("is what the expression found", () => {
    const words = ["#", "# ", "\n# ", " ", "\t", "\n", "\r\n", "\u2028", "a", "b c", "\u00a0", "##"];
    expectSame(firstHeading, (text) => old.exec(text)?.[1], ...words);
  });
});

describe("the title of a page", () => {
  const old = /<title(?:\s[^>]*)?>([^<]*)<\/title/i;

  it.each([
    ["<title>A &amp; B</title>", "A &amp; B"],
    ["<head><TITLE lang='en'\n>A\nB</TITLE>", "A\nB"],
    ["<title></title>", ""],
    ["<titles><title>A</title>", "A"],
    ["<title>A<b>B</b></title><title>C</title>", "C"],
    ["<title <title>A</title>", "A"],
    ["<title <title >A<x><title\t>B</title>", "B"],
    ["<title>A<title>B</title>", "B"],
    ["<title/>A</title>", undefined],
    ["<title>A", undefined],
    ["<title", undefined],
    ["", undefined],
  ])("%j is %j", (page, title) => expect(titleElement(page)).toBe(title));

  it("is what the expression found", () => {
    const words = ["<title>", "<title ", "<TITLE", "</title", "</title>", ">", "<", "a", " ", "\n", "/"];
    expectSame(titleElement, (text) => old.exec(text)?.[1], ...words);
  });
});

describe("a title", () => {
  function old(title: string): string {
    const line = title
      .toWellFormed()
      .replace(/[\p{Cc}\p{Cf}\p{Co}\s]+/gu, " ")
      .trim();
    if (line === "") return "Untitled";
    return line.length <= 200 ? line : `${[...line].slice(0, 199).join("")}…`;
  }

  it("is one line of at most 200 characters, all of them visible", () => {
    expect(cleanTitle(" A\n\ttitle\u200b \u0000here\u00ad ")).toBe("A title here");
    expect(cleanTitle(" \n\u200b\ue000")).toBe("Untitled");
    expect(cleanTitle("half \ud800")).toBe("half \ufffd");
    expect(cleanTitle("x".repeat(200))).toBe("x".repeat(200));
    expect(cleanTitle("x".repeat(201))).toBe(`${"x".repeat(199)}…`);
    expect(cleanTitle(`${"x".repeat(200)} \n `)).toBe("x".repeat(200));
    expect(cleanTitle("𝒳".repeat(300))).toBe(`${"𝒳".repeat(199)}…`);
  });

  it("is what the expression made", () => {
    const words = [" ", "\n", "\u200b", "\ue000", "x".repeat(95), "x".repeat(198), "𝒳".repeat(99), "\ud800", "é"];
    expectSame(cleanTitle, old, "a", "b", ...words);
  });
});

describe("a text in another encoding", () => {
  const french = Buffer.from("« Déjà vu », dit-elle, à l'été : naïveté. ".repeat(20), "latin1");
  const vietnamese = Buffer.from(
    "Tr\xe3m n\xe3m trong c\xf5i ng\xfd\xf0\xcci ta, ch\xfd\xde t\xe0i. ".repeat(20),
    "latin1",
  );

  it("of Windows has its quotation marks and dashes", () => {
    const all = Buffer.from(Array.from({ length: 32 }, (_, index) => 0x80 + index));
    const page = Buffer.concat([Buffer.from('<meta charset="windows-1252">'), all]);
    expect(decodeText(page, true).slice(-32)).toBe("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ");
    expect(toUtf8(Buffer.concat([french, Buffer.of(0x93, 0x61, 0x94)])).toString()).toMatch(/naïveté\. “a”$/);
  });

  it("is composed, but for marks in stacks, which no language has", () => {
    const read = (...bytes: number[]) => toUtf8(Buffer.concat([vietnamese, Buffer.from([0x61, ...bytes])])).toString();
    expect(read(0xf2, 0xec)).toMatch(/ạ\u0301$/);
    expect(read(0xec, 0xf2)).toMatch(/ạ\u0301$/);
    expect(read(...Array(5).fill(0xec), 0xf2)).toMatch(/ ạ\u0301{5}$/);
    expect(read(...Array(9).fill(0xec), 0xf2)).toMatch(/ a\u0301{9}\u0323$/);
  });
});

const isMutated = process.env.LECTERN_MUTANTS === "1";

it.skipIf(isMutated)("each takes time in proportion to the text", { timeout: 300_000 }, async () => {
  const latin = Buffer.from(
    "Voil\xe0 un texte fran\xe7ais tr\xe8s ordinaire, \xe9crit \xe0 la main. ".repeat(1_200),
    "latin1",
  );
  const viet = Buffer.from(
    "Tr\xe3m n\xe3m trong c\xf5i ng\xfd\xf0\xcci ta, ch\xfd\xde t\xe0i. ".repeat(2_000),
    "latin1",
  );
  const read = (bytes: Buffer) => {
    try {
      return toUtf8(bytes);
    } catch (error) {
      return error;
    }
  };
  const of = (unit: string) => (size: number) => unit.repeat(size);
  const page = (unit: string) => growthOf(`page ${JSON.stringify(unit)}`, of(unit), beginsPage);
  const heading = (name: string, make: (size: number) => string) => growthOf(`heading ${name}`, make, firstHeading);
  const title = (unit: string) => growthOf(`title element ${JSON.stringify(unit)}`, of(unit), titleElement);
  const encoding = (name: string, make: (size: number) => Buffer) =>
    // From here on what does not depend on the size, a guess by 64 kB, weighs little.
    growthOf(`encoding ${name}`, make, read, [1_000_000]);
  const inline = (name: string, make: (size: number) => string) =>
    growthOf(
      `text in JSON, ${name}`,
      make,
      (text) => {
        try {
          return contentOfText(text, 10_000_000, []);
        } catch (error) {
          return error;
        }
      },
      [100_000, 300_000, 1_000_000],
    );
  expectLinear([
    await inline("of words", (size) => "word ".repeat(size / 5)),
    await inline("of spaces", of(" ")),
    await inline("of invisible characters", of("\u200b")),
    await inline("of headings that are none", (size) => "#\t".repeat(size / 2)),
    await inline("of letters of two units", (size) => "𝒳".repeat(size / 2)),
    await page("<!---->"),
    await page("<!-- --><?xml --><?xml -->"),
    await page("<!--<?xml --> "),
    await page("<!---->     "),
    await page("<!----><!doctype  "),
    await page("<?xml>"),
    await page("<?xml"),
    await page(" "),
    await growthOf("piece of spaces", of(" "), beginsPiece),
    await heading("of spaces", (size) => `# a${" ".repeat(size)}b`),
    await heading("of marks and spaces", (size) => `# a${" #".repeat(size)}b`),
    await heading("of tabs", (size) => `#\t#${"\t".repeat(size)}\v`),
    await heading("that begins again", of("# \n")),
    await title("<title\t"),
    await title("<title>"),
    await title("<title a>b<"),
    await title("<TITLE <"),
    await growthOf("title of spaces", of(" "), cleanTitle),
    await growthOf("title of invisible characters", (size) => `a${"\u200b".repeat(size)}b`, cleanTitle),
    await encoding("that is none", (size) => Buffer.alloc(size, 0xff)),
    await encoding("of quotation marks", (size) => Buffer.concat([latin, Buffer.alloc(size, 0x93)])),
    await encoding("that fails at the end", (size) => Buffer.concat([latin, Buffer.alloc(size, 0xe9), Buffer.of(1)])),
    await encoding("of marks to be sorted", (size) =>
      Buffer.concat([viet, Buffer.alloc(size / 2, 0xcc), Buffer.alloc(size / 2, 0xf2)]),
    ),
    await encoding("of marks in small stacks", (size) =>
      Buffer.concat([viet, Buffer.from("a\xcc\xcc\xcc\xcc\xf2\xf2\xf2\xf2".repeat(size / 9), "latin1")]),
    ),
  ]);
});
