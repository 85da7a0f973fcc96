// truth.ts — what a delivery must lead to, and how what was found is held against it: episode by episode, none left over.

export type Episode = {
  readonly user: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
};
/** A finding as this test looks at it, whichever way it was told. */
export type Found = Episode & { readonly id: string };

export type Delivery = {
  readonly name: string;
  readonly file: string; // of events, a line each, in the order of their arrival
  readonly lines: number;
  readonly truth: readonly Episode[];
  readonly lateness: string; // how far out of order it is at most, as Wache is told
};

export type Score = {
  readonly episodes: number;
  readonly equal: number;
  readonly missing: number;
  readonly surplus: number; // what is doubled too
};

/** As multisets: a finding that is there twice is one too many. */
export function scoreOf(found: readonly Episode[], truth: readonly Episode[]): Score {
  const left = new Map<string, number>();
  for (const one of truth) left.set(nameOf(one), (left.get(nameOf(one)) ?? 0) + 1);
  let equal = 0;
  for (const one of found) {
    const count = left.get(nameOf(one)) ?? 0;
    if (count === 0) continue;
    left.set(nameOf(one), count - 1);
    equal += 1;
  }
  return {
    episodes: truth.length,
    equal,
    missing: truth.length - equal,
    surplus: found.length - equal,
  };
}

export const isExact = ({ missing, surplus, episodes }: Score): boolean =>
  episodes > 0 && missing === 0 && surplus === 0;

const nameOf = ({ user, firstMs, lastMs, count }: Episode): string =>
  `${user} ${firstMs} ${lastMs} ${count}`;

/** Of two runs: every id with its content on either side alone. */
export function idsThatDiffer(found: readonly Found[], wanted: readonly Found[]): string[] {
  const named = (one: Found): string => `${one.id} ${nameOf(one)}`;
  const [have, want] = [new Set(found.map(named)), new Set(wanted.map(named))];
  return [
    ...[...want].filter((one) => !have.has(one)).map((one) => `missing: ${one}`),
    ...[...have].filter((one) => !want.has(one)).map((one) => `too many: ${one}`),
  ];
}
