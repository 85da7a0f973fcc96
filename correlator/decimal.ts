// decimal.ts — what is a number in an event: a number, or a text that writes one in decimals.
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,4})?$/i;
const CHARS_MAX = 400; // longer than any number is written
const COUNTED_CHARS_MAX = 64;
const PLAIN_DIGITS_MAX = 9;

/** A number that can be added up, or the text of one; undefined for all else. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" ? countedOf(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number + 0 : undefined; // -0 is 0
}

const countedOf = (text: string): number | undefined =>
  text.length <= COUNTED_CHARS_MAX ? decimalOf(text) : undefined;

/** The number that a text writes, infinite where it is too large; undefined where it writes none. */
export function decimalOf(text: string): number | undefined {
  if (text.length <= PLAIN_DIGITS_MAX) {
    const plain = plainDigits(text);
    if (plain !== undefined) return plain;
  }
  return text.length <= CHARS_MAX && DECIMAL.test(text) ? Number(text) : undefined;
}

/** Most numbers are a few digits: they are seen without the cost of an expression. */
function plainDigits(text: string): number | undefined {
  let number = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return text === "" ? undefined : number;
}
