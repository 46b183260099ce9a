import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Real texts and audio that lie beside the project on machines that have them; null elsewhere. */
export function sharedData(path: string): Buffer | null {
  const file = join(import.meta.dirname, "../../../shared/data", path);
  if (existsSync(file)) return readFileSync(file);
  console.warn(`Skipped: ${path} is not beside this checkout.`);
  return null;
}
