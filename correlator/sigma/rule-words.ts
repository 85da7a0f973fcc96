// rule-words.ts — whether two words name the same rule.
//
// Why:   an id is a UUID, and hexadecimal digits have no case (RFC 9562): what one tool writes in capitals another
//        refers to in small letters. Names are compared as they are written.
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const isUuid = (word: string): boolean => UUID.test(word);

/** The same for all words that name one rule. */
export const wordKey = (word: string): string => (isUuid(word) ? word.toLowerCase() : word);

export const isSameWord = (one: string, other: string): boolean => wordKey(one) === wordKey(other);
