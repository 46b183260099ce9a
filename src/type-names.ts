/** Names that follow from the name of a type, such as `Document`. */

/** The field that shows one object of the type: `document`. */
export const fieldNameOf = (typename: string): string => typename.charAt(0).toLowerCase() + typename.slice(1);

/** The type in descriptions: "document", "playlist item". */
export const nounOf = (typename: string): string => typename.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();

/** An initial vowel, except a "u" that is spoken like "you": "user", "unit", but not "upload". */
const initialVowel = /^(?:[aeio]|u(?![^aeiou][aeiou]))/;

/** With its article: "a document", "an audio", "a user". */
export function withArticle(typename: string): string {
  const noun = nounOf(typename);
  return `${initialVowel.test(noun) ? "an" : "a"} ${noun}`;
}
