// evidence.ts — which of an episode's events a finding names: the first and last (of each rule, where rules are told apart), and a sample by id.
//
// Holds: the same members give the same evidence, whatever order they came in, and whatever was forgotten on the way.
import type { Member } from "./members.ts";

/** At most `max` of the members, which are sorted by time. */
export function sampleOf(members: readonly Member[], max: number): readonly Member[] {
  const ids = members.map(({ id }) => id);
  const places = samplePlaces(ids, { max, froms: members.map(({ from }) => from) });
  return places.flatMap((place) => members[place] ?? []);
}

/** The places of at most `max` members, which are sorted by time; without `froms` one rule matched them all. */
export function samplePlaces(
  ids: readonly string[],
  { max, froms }: { readonly max: number; readonly froms: readonly number[] | undefined },
): readonly number[] {
  if (ids.length <= max) return [...ids.keys()];
  const chosen = new Set<number>();
  for (const place of [0, ids.length - 1, ...(froms ? endsOf(froms) : [])])
    if (chosen.size < max) chosen.add(place);
  for (const place of smallestIds(ids, { chosen, max: max - chosen.size })) chosen.add(place);
  return [...chosen].sort((a, b) => a - b);
}

/** Each rule's first and last, in the order in which the rules come. */
function endsOf(froms: readonly number[]): readonly number[] {
  const places: number[] = []; // by rule, of its first in `ends`
  const ends: number[] = [];
  for (let place = 0; place < froms.length; place++) {
    const from = froms[place] as number;
    const known = places[from];
    if (known !== undefined) ends[known + 1] = place;
    else {
      places[from] = ends.length;
      ends.push(place, place);
    }
  }
  return ends;
}

/** The `max` places with the smallest ids but for those that are chosen already. */
function smallestIds(
  ids: readonly string[],
  { chosen, max }: { readonly chosen: ReadonlySet<number>; readonly max: number },
): readonly number[] {
  const least: number[] = [];
  if (max === 0) return least;
  const idOf = (place: number | undefined): string => ids[place ?? 0] ?? "";
  let most = ""; // of `least`, once it is full
  for (let place = 0; place < ids.length; place++) {
    const id = idOf(place);
    if ((least.length === max && id >= most) || chosen.has(place)) continue;
    if (least.length === max) least.pop();
    let at = least.length;
    while (at > 0 && idOf(least[at - 1]) > id) at -= 1;
    least.splice(at, 0, place);
    most = idOf(least.at(-1));
  }
  return least;
}
