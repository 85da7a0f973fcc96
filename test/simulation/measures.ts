// measures.ts — what a window's values come to, in the plainest words: sum, average, percentile, share.
//
// Holds: thousandths are whole numbers here, and a measure is a fraction of two of them: nothing is rounded.
import type { Fields, Member } from "./correlation-types.ts";

/** `found` thousandths, divided by `by`. */
export type Measure = { readonly found: bigint; readonly by: bigint };

const PERCENT_PARTS = 100_000n; // a percentile has thousandths of a percent

/** A text that is a decimal number, in thousandths; undefined for all other texts. */
function thousandths(text: string): bigint | undefined {
  const [, sign, whole = "", part = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d{1,3}))?(?:e(\d))?$/.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const size = BigInt(whole + part.padEnd(3, "0")) * 10n ** BigInt(power);
  return sign === "-" ? -size : size;
}

export const exact = (number: number): bigint => thousandths(String(number)) ?? 0n;

export const hasNumber = (field: string, { told }: Member): boolean =>
  told.some((one) => numbersOf(field, one).length > 0);

const numbersOf = (field: string, fields: Fields): bigint[] =>
  (fields[field] ?? []).flatMap((text) => thousandths(text) ?? []);

/** All numbers of an event's field; where several groups tell of one event, what another one told is not there again. */
function numbersIn(field: string, window: readonly Member[]): bigint[] {
  return window.flatMap(({ told }) => {
    const all: bigint[] = [];
    for (const one of told) {
      const known = [...all];
      for (const number of numbersOf(field, one)) {
        const at = known.indexOf(number);
        if (at < 0) all.push(number);
        else known.splice(at, 1);
      }
    }
    return all;
  });
}

const total = (numbers: readonly bigint[]): bigint => numbers.reduce((sum, one) => sum + one, 0n);

export const sumOf = (field: string, window: readonly Member[]): Measure[] => [
  { found: total(numbersIn(field, window)), by: 1n },
];

export function averageOf(field: string, window: readonly Member[]): Measure[] {
  const numbers = numbersIn(field, window);
  return [{ found: total(numbers), by: BigInt(numbers.length) }];
}

/** Rank p/100 · (n − 1), on the straight line between its two neighbours. */
export function percentileOf(
  percentile: number,
  field: string,
  window: readonly Member[],
): Measure[] {
  const numbers = numbersIn(field, window).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const place = exact(percentile) * BigInt(numbers.length - 1);
  const rank = Number(place / PERCENT_PARTS);
  const part = place % PERCENT_PARTS;
  const low = numbers[rank] ?? 0n;
  const high = numbers[rank + 1] ?? low;
  return [{ found: low * (PERCENT_PARTS - part) + high * part, by: PERCENT_PARTS }];
}

/** Of each value its percentage of all: one of them must be as it is wanted. */
export function sharesOf(values: readonly string[]): Measure[] {
  return [...new Set(values)].map((value) => {
    const same = values.filter((one) => one === value).length;
    return { found: BigInt(same) * 100_000n, by: BigInt(values.length) };
  });
}
