/** The rule of names and titles: one line of text that people read. */
import { badInput } from "./errors.ts";

/**
 * Returns the text without white space around it.
 *
 * @param field the field of the mutation's input, which also names the text in the message
 * @throws ApplicationError BAD_USER_INPUT if it has no or too many characters, or control characters
 */
export function requireShortText(
  text: string | null,
  { field, longest }: { field: "name" | "title" | "artist" | "album"; longest: number },
): string {
  const trimmed = text?.trim() ?? "";
  if (trimmed.length < 1 || trimmed.length > longest || /[\p{Cc}\p{Cs}]/u.test(trimmed)) {
    throw badInput(
      ["input", field],
      `${field === "name" || field === "title" ? "A" : "An"} ${field} has 1 to ${longest} characters, none of them control characters.`,
    );
  }
  return trimmed;
}
