// email-subject.ts — a subject that every mail program shows as it was written.
//
// Why:   RFC 2047 has readers decode `=?charset?B?…?=` wherever it stands in a header, also where a log wrote it. Encoded
//        once more it reads as it was; what holds no such sign is left to the mail library.
const wordBytesMax = 45; // of a word of 75 characters, in base64

export function subjectOf(text: string): string {
  if (!text.includes("=?")) return text;
  const words: string[] = [];
  let word = "";
  for (const char of text) {
    if (Buffer.byteLength(word + char) > wordBytesMax) {
      words.push(word);
      word = "";
    }
    word += char;
  }
  return [...words, word].map(encodedWord).join(" "); // readers drop the spaces between encoded words
}

const encodedWord = (text: string): string => `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
