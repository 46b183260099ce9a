/** Texts to work on: made by code, always the same, and with the words of two languages, so that search has its share. */
const words = {
  english:
    "the of a stand for reading aloud holds one book and everybody hears it who comes to library looks up words in an index before the light goes out",
  vietnamese:
    "trăm năm trong cõi người ta chữ tài mệnh khéo là ghét nhau trải qua một cuộc bể dâu những điều trông thấy mà đau đớn lòng lạ gì bỉ sắc tư phong",
};

export type Language = keyof typeof words;

/** A text of at most so many bytes and hardly fewer, in paragraphs. Another `seed` gives another text. */
export function textOf(bytes: number, language: Language, seed: number): string {
  const vocabulary = words[language].split(" ");
  const parts: string[] = [];
  let state = seed + 1;
  let length = 0;
  for (let place = 1; ; place++) {
    // A generator with a long enough period (Park and Miller's).
    state = (state * 48_271) % 2_147_483_647;
    const word = vocabulary[state % vocabulary.length] as string;
    const part = place % 97 === 0 ? `${word} ${state}.\n\n` : place % 13 === 0 ? `${word}. ` : `${word} `;
    length += Buffer.byteLength(part);
    if (length > bytes) return parts.join("");
    parts.push(part);
  }
}
