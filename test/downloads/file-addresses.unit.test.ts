/** Addresses: which of them the server takes back as its own, and for how long. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FileAddresses } from "../../src/downloads/file-addresses.ts";

const options = { publicUrl: "https://lectern.test", secret: "a secret", lifetimeSeconds: 400 };
const addresses = new FileAddresses(options);
const file = {
  kind: "song",
  id: "0198c0de-0000-7000-8000-000000000001",
  viewerId: "0198c0de-aaaa-7bbb-8ccc-00000000000f",
  name: "A song.mp3",
};
/** A multiple of the steps of 100 s. */
const start = 1_800_000_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: start * 1_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const pathOf = (address: string) => address.slice(new URL(address).origin.length);
const address = () => pathOf(addresses.of(file));
const at = (second: number) => vi.setSystemTime((start + second) * 1_000);

describe("an address", () => {
  it("names the file, the viewer and its end", () => {
    expect(addresses.of(file)).toMatch(
      /^https:\/\/lectern\.test\/files\/song\/0198c0de-0000-7000-8000-000000000001\/A%20song\.mp3\?viewer=[\w-]{22}&expires=1800000400&signature=[\w-]{22}$/,
    );
    const { name: _name, ...claim } = file;
    expect(addresses.find(address())).toEqual({ ...claim, expiresAt: start + 400 });
  });

  it("of a stranger has no viewer", () => {
    const ofStranger = pathOf(addresses.of({ ...file, viewerId: null }));
    expect(ofStranger).not.toContain("viewer");
    expect(addresses.find(ofStranger)).toMatchObject({ id: file.id, viewerId: null });
  });

  it("is the same for a quarter of its lifetime, and lives at least as long as was promised", () => {
    at(1);
    const first = address();
    expect(first).toContain(`expires=${start + 500}`);
    at(100);
    expect(address()).toBe(first);
    at(101);
    expect(address()).toContain(`expires=${start + 600}`);
    at(499);
    expect(addresses.find(first)).not.toBeNull();
    at(500);
    expect(addresses.find(first)).toBeNull();
  });

  it("may be called otherwise, and carry other parameters", () => {
    const renamed = address().replace("A%20song.mp3", "other");
    expect(addresses.find(`${renamed}&utm_source=mail`)).toMatchObject({ id: file.id });
  });

  it("is valid on all servers with the same secret, and on no other", () => {
    const elsewhere = new FileAddresses({ ...options, publicUrl: "http://other.test/", lifetimeSeconds: 4_000 });
    expect(elsewhere.find(address())).toEqual(addresses.find(address()));
    expect(new FileAddresses({ ...options, secret: "another" }).find(address())).toBeNull();
  });

  it.each([
    ["https://lectern.test/", "https://lectern.test/files/"],
    ["https://lectern.test/library", "https://lectern.test/library/files/"],
    ["https://lectern.test/graphql", "https://lectern.test/files/"],
  ])("begins with the public address %s as %s", (publicUrl, begin) => {
    expect(new FileAddresses({ ...options, publicUrl }).of(file)).toContain(`${begin}song/`);
  });

  it("follows the server to another port, unless it is another's", () => {
    const local = new FileAddresses({ ...options, publicUrl: "http://127.0.0.1:4000" });
    local.movePort({ from: 4000, to: 4001 });
    expect(local.of(file)).toContain("http://127.0.0.1:4001/files/");
    local.movePort({ from: 4000, to: 4002 });
    expect(local.of(file)).toContain("http://127.0.0.1:4001/files/");
  });
});

describe("a forged address", () => {
  it("of any other file, viewer or time is refused", () => {
    const other = "0198c0de-0000-7000-8000-000000000002";
    const ofOther = pathOf(addresses.of({ ...file, viewerId: other }));
    const viewerOf = (path: string) => new URLSearchParams(path.split("?")[1]).get("viewer") as string;
    for (const [from, to] of [
      ["/song/", "/Song/"],
      ["/song/", "/document/"],
      [file.id, other],
      [file.id, file.id.toUpperCase()],
      [file.id, `${file.id}%0A`],
      [viewerOf(address()), viewerOf(ofOther)],
      [`viewer=${viewerOf(address())}&`, ""],
      ["expires=1800000400", "expires=1800000401"],
      ["expires=1800000400", "expires=01800000400"],
      ["expires=1800000400", "expires=1800000400%0A"],
      ["expires=1800000400", "expires=1e99"],
    ] as const) {
      expect(address()).toContain(from);
      expect(addresses.find(address().replace(from, to)), to).toBeNull();
    }
  });

  it("with any other signature is refused, also one that decodes to the same bytes", () => {
    const [front, signature = ""] = address().split("signature=");
    const last = signature.at(-1) as string;
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const others = [...letters].filter((letter) => letter !== last).map((letter) => signature.slice(0, -1) + letter);
    others.push("", signature.slice(1), `${signature}A`, `${signature}%3D`, signature.toLowerCase(), "é".repeat(22));
    for (const other of others) expect(addresses.find(`${front}signature=${other}`), other).toBeNull();
    expect(addresses.find(`${front}signature=${signature}`)).not.toBeNull();
    expect(addresses.find(`${front}signature=x&signature=${signature}`)).toBeNull();
  });

  it("without its parts is refused", () => {
    for (const path of ["", "/", "/files/", "/files/song", `/files/song/${file.id}`, `/files/song/${file.id}/a`]) {
      expect(addresses.find(path), path).toBeNull();
    }
    expect(addresses.find(address().replace("/files/", "/x/files/"))).toBeNull();
    expect(addresses.find(address().replace("/A%20song.mp3", ""))).toBeNull();
  });
});
