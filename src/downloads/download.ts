/** A kind of file that clients download: each slice declares its own. */
import type { Reader } from "../eager-loading/reader.ts";
import type { ByteRange } from "../storage/file-store.ts";
import type { Viewer } from "../viewer.ts";

export type Download = {
  /** The second part of an address's path: `document`. Unique. */
  kind: string;
  /**
   * Finds a file by the id of its row, by one statement with the rule of which rows the viewer may see. Called for each
   * request, so a row that the viewer may no longer see has no file.
   *
   * @param fileAddress makes addresses of other files, for the same viewer
   */
  find(id: string, viewer: Viewer, reader: Reader, fileAddress: FileAddress): Promise<ServedFile | null>;
};

/**
 * Makes addresses for one viewer.
 *
 * @param kind a kind of download that a slice declares
 * @param id UUID of the row, or another id without characters that a path encodes
 * @param name shown as the end of the address. Rows whose file may change give a changed file another name, so that
 *   caches do not serve the old one
 */
export type FileAddress = (kind: string, id: string, name: string) => string;

export type ServedFile = {
  /** The name under which a client saves the file. Any text: file-names.ts makes it safe. */
  name: string;
  /** The value of Content-Type, so with a charset for a text. Never a client's claim. */
  mimeType: string;
  /** `inline` lets a browser show or play the file. Only for formats without scripts. */
  disposition: "inline" | "attachment";
  sizeBytes: number;
  /** SHA-256, in hex, of the bytes, or of those that they were made from: the bytes are the same while it is. */
  sha256: string;
  /** True if the next request may get other bytes: no cache keeps these. */
  isLive?: boolean;
} & (
  | {
      /** Key in the file store. */
      storageKey: string;
    }
  | {
      /** Short contents that are made for the request. */
      bytes: Uint8Array;
    }
  | {
      /**
       * Long contents that are not in the file store, read in pieces so that a slow client does not hold all of them.
       *
       * @throws FileMissingError if they are gone
       */
      pieces(range: ByteRange): AsyncIterable<Uint8Array>;
    }
);
