/**
 * Addresses of files, which need no headers, so that an `<audio>` element can play them:
 *
 *   <public url>/files/<kind>/<row id>/<name>?viewer=…&expires=…&signature=…
 *
 * An address acts for the viewer that it was made for, until it expires. The signature covers kind, id, viewer and
 * expiry, but not the name, which is decoration.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { FileAddress } from "./download.ts";
import { pathNameOf } from "./file-names.ts";

export type FileAddressesOptions = {
  /** Address of the server for clients. */
  publicUrl: string;
  /** The same on all servers of a database, so that addresses are valid on each and after a restart. */
  secret: string;
  /** Minimum lifetime of an address. */
  lifetimeSeconds: number;
};

/** The file and the viewer of an address. */
export type FileClaim = {
  kind: string;
  /** UUID of the row, or another id that the slice encodes. */
  id: string;
  /** UUID of the user; null for a stranger. */
  viewerId: string | null;
  /** Unix time in seconds. */
  expiresAt: number;
};

/**
 * Expiries are multiples of this part of the lifetime. So equal queries show equal addresses for some time, under which
 * a browser's cache finds the file.
 */
const partsOfLifetime = 4;
const signatureBytes = 16;
/** Only addresses whose signature is valid are read further, so the form needs no more detail. */
const pathForm = /^\/files\/([^/?]+)\/([^/?]+)\/[^/?]*\?/;

export class FileAddresses {
  readonly #options: FileAddressesOptions;
  #base: URL;

  constructor(options: FileAddressesOptions) {
    this.#options = options;
    this.#base = new URL(options.publicUrl);
  }

  /** Must be called when the server listens on another port than configured. */
  movePort({ from, to }: { from: number; to: number }): void {
    if (this.#base.port === String(from)) this.#base.port = String(to);
  }

  of({ kind, id, viewerId, name }: Omit<FileClaim, "expiresAt"> & { name: string }): string {
    const stepSeconds = this.#options.lifetimeSeconds / partsOfLifetime;
    const expires = String(Math.ceil((Math.ceil(nowSeconds() / stepSeconds) + partsOfLifetime) * stepSeconds));
    const viewer = viewerId === null ? "" : shortId(viewerId);
    const query = new URLSearchParams({
      ...(viewer && { viewer }),
      expires,
      signature: this.#sign(kind, id, viewer, expires),
    });
    // Some set PUBLIC_URL to the address of GraphQL.
    const base = this.#base.href.replace(/\/(graphql\/?)?$/, "");
    return `${base}/files/${kind}/${id}/${pathNameOf(name)}?${query}`;
  }

  /**
   * @param url path and query of a request
   * @returns null if the address is forged, edited or expired
   */
  find(url: string): FileClaim | null {
    const [start, kind, id] = pathForm.exec(url) ?? [];
    if (start === undefined || kind === undefined || id === undefined) return null;
    const query = new URLSearchParams(url.slice(start.length));
    const [viewer, expires] = [query.get("viewer") ?? "", query.get("expires") ?? ""];
    if (!areEqual(query.get("signature") ?? "", this.#sign(kind, id, viewer, expires))) return null;
    const expiresAt = Number(expires);
    if (expiresAt <= nowSeconds()) return null;
    return { kind, id, viewerId: viewer === "" ? null : longId(viewer), expiresAt };
  }

  /** No part holds a line end: they come from the path, from an id, and from a number. */
  #sign(...parts: string[]): string {
    const hash = createHmac("sha256", this.#options.secret).update(parts.join("\n")).digest();
    return hash.subarray(0, signatureBytes).toString("base64url");
  }
}

export const addressesFor =
  (addresses: Pick<FileAddresses, "of">, viewerId: string | null): FileAddress =>
  (kind, id, name) =>
    addresses.of({ kind, id, name, viewerId });

const nowSeconds = () => Date.now() / 1_000;

/** A UUID in 22 characters. */
const shortId = (id: string) => Buffer.from(id.replaceAll("-", ""), "hex").toString("base64url");
const longId = (short: string) =>
  Buffer.from(short, "base64url")
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

/** In constant time. Compares the texts, because several texts decode to the same bytes. */
function areEqual(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
