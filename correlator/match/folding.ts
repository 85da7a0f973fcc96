// folding.ts — case folded a character at a time, so that no folded copy of a value is made.
//
// Holds: for text of ASCII alone it is what `fold` of sigma/text.ts does; other text is folded as a whole first, since
//        its lower case may have another length or hang on its neighbours.

export const ASCII_MAX = 127;

/** For each UTF-16 code: its folded one. */
export const FOLDED: Uint16Array = Uint16Array.from({ length: 65_536 }, (_, code) =>
  code >= 65 && code <= 90 ? code + 32 : code,
);

/** Whether the folded `wanted` stands in `text` at `start`. */
export function standsAt(text: string, wanted: string, start: number): boolean {
  if (start < 0 || start + wanted.length > text.length) return false;
  for (let at = 0; at < wanted.length; at++)
    if (FOLDED[text.charCodeAt(start + at)] !== wanted.charCodeAt(at)) return false;
  return true;
}

/** Takes the ids of predicates as they turn out to be true, or likely. */
export type Sink = { readonly fire: (id: number) => void };
