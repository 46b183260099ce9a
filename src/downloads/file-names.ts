/** Makes names of files safe in headers, in addresses, and on the disks of clients. */
import { create } from "content-disposition";
import type { ServedFile } from "./download.ts";

/**
 * Encoded, a character has up to 12 bytes. Usual proxies refuse headers of more than 4 KB, and addresses of more than
 * 8 KB.
 */
const maxCharacters = 120;

/** Line ends and other controls, and marks that reverse the direction: `gpj.exe` would be shown as `exe.jpg`. */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The value of Content-Disposition. */
export const dispositionOf = ({ name, disposition }: Pick<ServedFile, "name" | "disposition">): string =>
  create(safeName(name), { type: disposition });

/**
 * The name as the last part of an address's path. Quotes and brackets are encoded, too, so that an address can stand in
 * HTML and Markdown.
 */
export const pathNameOf = (name: string): string =>
  encodeURIComponent(safeName(name)).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

/** Proxies resolve `..` and refuse encoded slashes; a leading dot hides a file. */
function safeName(name: string): string {
  const safe = name.toWellFormed().replace(unsafe, "").replace(/[/\\]/g, "_").trim().replace(/^\./, "_");
  return shortened(safe) || "file";
}

function shortened(name: string): string {
  const characters = [...name];
  if (characters.length <= maxCharacters) return name;
  const ending = /\.[a-z0-9]{1,10}$/i.exec(name)?.[0] ?? "";
  return characters.slice(0, maxCharacters - ending.length).join("") + ending;
}
