// letter-case.ts — the lower case that texts are compared in: each letter's own, wherever it stands in its word.

const FINAL_SIGMA = "\u03c2"; // what a capital sigma becomes at the end of a word
export const SIGMA = "\u03c3";
/** What a sigma may be in a text that was lowered by the rules of its language. */
export const SIGMAS = [SIGMA, FINAL_SIGMA] as const;

export function lowered(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes(FINAL_SIGMA) ? lower.replaceAll(FINAL_SIGMA, SIGMA) : lower;
}
