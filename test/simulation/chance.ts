// chance.ts — every draw of a run, from one seed.
import { chanceOf as numbersOf } from "../chance.ts";

export type Chance = {
  /** A whole number from `least` to `most`, both included. */
  readonly int: (least: number, most: number) => number;
  readonly is: (probability: number) => boolean;
  readonly one: <T>(list: readonly T[]) => T;
  readonly some: <T>(list: readonly T[], count: number) => T[];
  readonly shuffled: <T>(list: readonly T[]) => T[];
  /** A chance of its own, so that what it draws does not move the draws of others. */
  readonly fork: () => Chance;
};

export function chanceOf(seed: number): Chance {
  const next = numbersOf(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b));
  const int = (least: number, most: number): number =>
    least + Math.floor(next() * (most - least + 1));
  const shuffled = <T>(list: readonly T[]): T[] => {
    const out = [...list];
    for (let at = out.length - 1; at > 0; at--) {
      const other = int(0, at);
      [out[at], out[other]] = [out[other] as T, out[at] as T];
    }
    return out;
  };
  return {
    int,
    is: (probability) => next() < probability,
    one: <T>(list: readonly T[]): T => {
      if (list.length === 0) throw new Error("nothing to draw from");
      return list[int(0, list.length - 1)] as T;
    },
    some: (list, count) => shuffled(list).slice(0, count),
    shuffled,
    fork: () => chanceOf(int(0, 0x7fffffff)),
  };
}

/** Goes on with a hash (FNV-1a, 32 bits) over the units of a text. */
export function hashed(text: string, from = 0x811c9dc5): number {
  let hash = from;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
