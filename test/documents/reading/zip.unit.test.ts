import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { BadArchiveError, openArchive } from "../../../src/documents/reading/zip.ts";

type Part = { name: string; content: Buffer; method?: number; flags?: number; extra?: number };

/** A zip archive, whose parts are deflated (8), stored (0), or claim another method. */
function archiveOf(parts: readonly Part[], comment = ""): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, method = 8, flags = 0, extra = 0 } of parts) {
    const data = method === 8 ? deflateRawSync(content) : content;
    const local = Buffer.alloc(30 + name.length + extra);
    local.write("PK\x03\x04", "latin1");
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(extra, 28);
    local.write(name, 30);
    files.push(local, data);
    const entry = Buffer.alloc(46 + name.length + extra + comment.length);
    entry.write("PK\x01\x02", "latin1");
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(extra, 30);
    entry.writeUInt16LE(comment.length, 32);
    entry.writeUInt32LE(offset, 42);
    entry.write(name, 46);
    directory.push(entry);
    offset += local.length + data.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, ...directory, end, Buffer.from(comment)]);
}
const text = (part: Uint8Array) => Buffer.from(part).toString();
const emma: Part = { name: "word/emma.xml", content: Buffer.from("Emma Woodhouse, handsome, clever, and rich") };
const stored: Part = { name: "stored.txt", content: Buffer.from("as it is"), method: 0, extra: 9 };

function failureOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(BadArchiveError);
    expect((error as Error).name).toBe("BadArchiveError");
    return (error as Error).message;
  }
  return "none";
}
/** A copy in which something is written at an offset; a negative one counts from the end. */
function changed(bytes: Buffer, offset: number, change: (copy: Buffer, at: number) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy, offset < 0 ? copy.length + offset : offset);
  return copy;
}

describe("an archive", () => {
  it("holds its parts by name, deflated or stored, and whatever stands between them", () => {
    const archive = openArchive(archiveOf([stored, emma, { ...stored, name: "a\\b.txt" }], "comment"), 1_000);
    expect(["word/emma.xml", "stored.txt", "a/b.txt", "a\\b.txt", "other"].map(archive.has)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(text(archive.read("word/emma.xml"))).toBe("Emma Woodhouse, handsome, clever, and rich");
    expect(text(archive.read("stored.txt"))).toBe("as it is");
    expect(text(archive.read("a/b.txt"))).toBe("as it is");
    expect(failureOf(() => archive.read("other"))).toBe("The archive has no part other.");
  });

  it("may be empty, and may follow other bytes that look like its end", () => {
    expect(openArchive(archiveOf([]), 0).has("other")).toBe(false);
    const archive = openArchive(archiveOf([{ ...stored, content: Buffer.from("PK\x05\x06") }]), 100);
    expect(text(archive.read("stored.txt"))).toBe("PK\x05\x06");
  });
});

describe("the size of an archive", () => {
  const tooLarge = "The archive is too large when inflated; it may be malicious.";

  it("is limited for all parts together that are read", () => {
    const parts = archiveOf([emma, stored]);
    const sizes = emma.content.length + stored.content.length;
    const whole = openArchive(parts, sizes);
    expect(whole.read(emma.name).length + whole.read(stored.name).length).toBe(sizes);
    const small = openArchive(parts, sizes - 1);
    small.read(emma.name);
    expect(failureOf(() => small.read(stored.name))).toBe(tooLarge);
    const other = openArchive(parts, sizes - 1);
    other.read(stored.name);
    expect(failureOf(() => other.read(emma.name))).toBe(tooLarge);
  });

  it("is limited while a part is inflated, whatever the archive says of its size", () => {
    const bomb = archiveOf([{ name: "bomb", content: Buffer.alloc(10_000_000) }]);
    expect(bomb.length).toBeLessThan(20_000);
    expect(failureOf(() => openArchive(bomb, 1_000).read("bomb"))).toBe(tooLarge);
    expect(failureOf(() => openArchive(archiveOf([emma]), 0).read(emma.name))).toBe(tooLarge);
  });

  it("is limited to 10,000 parts", () => {
    const count = (parts: number) => changed(archiveOf([]), -12, (copy, at) => copy.writeUInt16LE(parts, at));
    expect(failureOf(() => openArchive(count(10_001), 1_000))).toBe("The archive has more than 10000 parts.");
    expect(failureOf(() => openArchive(count(10_000), 1_000))).toBe("The archive is damaged.");
  });
});

describe("a damaged archive", () => {
  const damaged = "The archive is damaged.";

  it("is refused without an end", () => {
    const endless = "The archive is damaged: its end is missing.";
    for (const bytes of [Buffer.alloc(0), Buffer.from("PK"), archiveOf([emma]).subarray(0, -1)]) {
      expect(failureOf(() => openArchive(bytes, 1_000))).toBe(endless);
    }
  });

  it("is refused if its directory is elsewhere, or ends early", () => {
    const bytes = archiveOf([emma]);
    const directoryAt = (offset: number) => changed(bytes, -6, (copy, at) => copy.writeUInt32LE(offset, at));
    expect(failureOf(() => openArchive(directoryAt(0), 1_000))).toBe(damaged);
    expect(failureOf(() => openArchive(directoryAt(2 ** 32 - 1), 1_000))).toBe(damaged);
    const twoParts = changed(bytes, -12, (copy, at) => copy.writeUInt16LE(2, at));
    expect(failureOf(() => openArchive(twoParts, 1_000))).toBe(damaged);
  });

  it("is refused where a part is damaged, truncated, encrypted or compressed in another way", () => {
    const read = (bytes: Buffer, name = emma.name) => failureOf(() => openArchive(bytes, 1_000).read(name));
    const bytes = archiveOf([emma]);
    expect(read(changed(bytes, 0, (copy, at) => copy.write("XX", at)))).toBe(damaged);
    const data = 30 + emma.name.length;
    expect(read(changed(bytes, data, (copy, at) => copy.fill(0xff, at, at + 5)))).toBe(damaged);
    const directory = bytes.readUInt32LE(bytes.length - 6);
    const compressedTo = (size: number) => changed(bytes, directory + 20, (copy, at) => copy.writeUInt32LE(size, at));
    expect(read(compressedTo(bytes.length - data + 1))).toBe("The archive is damaged: it is truncated.");
    expect(read(compressedTo(bytes.length - data))).toBe("none");
    expect(read(archiveOf([{ ...emma, flags: 1 }]))).toBe("The archive is encrypted.");
    expect(read(archiveOf([{ ...emma, flags: 2 }]))).toBe("none");
    expect(read(archiveOf([{ ...emma, method: 12 }]))).toBe("The archive has an unknown compression method.");
  });
});
