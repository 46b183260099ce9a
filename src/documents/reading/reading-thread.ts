/** Runs on a thread of the server. Text is returned as bytes, which are transferred; a string would be copied. */
import { move, transferableSymbol, valueSymbol } from "piscina";
import { type FileReading, type FileToRead, readFile } from "./read-file.ts";

/** Piscina unpacks what is moved: its caller gets a FileReading, too. */
type Moved = ReturnType<typeof move>;

export default async function read(file: FileToRead): Promise<FileReading | Moved | null> {
  const reading = await readFile(file);
  if (reading === null || "refusal" in reading || reading.text === null) return reading;
  const { buffer } = reading.text;
  return move({ [valueSymbol]: reading, [transferableSymbol]: buffer });
}
