/** Deterministic texts with words of two languages, so that the search index also has work to do. */
const words = {
  english:
    "the of a stand for reading aloud holds one book and everybody hears it who comes to library looks up words in an index before the light goes out",
  vietnamese:
    "trăm năm trong cõi người ta chữ tài mệnh khéo là ghét nhau trải qua một cuộc bể dâu những điều trông thấy mà đau đớn lòng lạ gì bỉ sắc tư phong",
};

export type Language = keyof typeof words;

/** A text in paragraphs, with at most `bytes` bytes and hardly fewer. Different seeds give different texts. */
export function textOf(bytes: number, language: Language, seed: number): string {
  const vocabulary = words[language].split(" ");
  const parts: string[] = [];
  let state = seed + 1;
  let length = 0;
  for (let count = 1; ; count++) {
    // Park and Miller's generator, whose period is long enough.
    state = (state * 48_271) % 2_147_483_647;
    const word = vocabulary[state % vocabulary.length] as string;
    const part = count % 97 === 0 ? `${word} ${state}.\n\n` : count % 13 === 0 ? `${word}. ` : `${word} `;
    length += Buffer.byteLength(part);
    if (length > bytes) return parts.join("");
    parts.push(part);
  }
}
