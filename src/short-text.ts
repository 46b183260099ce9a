/** The rule of names and titles: one line of text that people read. */
import { badInput } from "./errors.ts";

/**
 * Returns the text without white space around it.
 *
 * @param options.field names the text in the message
 * @param options.inputPath default: the field of the mutation's input
 * @throws ApplicationError BAD_USER_INPUT if it has no or too many characters, or control characters
 */
export function requireShortText(
  text: string | null,
  {
    field,
    longest,
    inputPath = ["input", field],
  }: {
    field: "name" | "title" | "artist" | "album" | "channel";
    longest: number;
    inputPath?: readonly string[];
  },
): string {
  const trimmed = text?.trim() ?? "";
  if (trimmed.length < 1 || trimmed.length > longest || /[\p{Cc}\p{Cs}]/u.test(trimmed)) {
    throw badInput(
      inputPath,
      `${field.startsWith("a") ? "An" : "A"} ${field} has 1 to ${longest} characters, none of them control characters.`,
    );
  }
  return trimmed;
}
