import fc from "fast-check";
import { expect, test } from "vitest";
import type { Episode } from "./episodes.ts";
import { emptyGroup, type Group } from "./group.ts";
import { type AtRest, Shelf } from "./shelf.ts";

const AT_MS = 1_767_225_600_000;
const LONG = "x".repeat(256);
const STAYS: AtRest = {
  ...{ max: 12, count: Number.POSITIVE_INFINITY, spanMs: 0, holds: undefined, mayBegin: false },
};

const episode: Episode = {
  ...{ firstMs: 1, lastMs: 2, id: undefined, revision: 0, replaces: [], level: undefined },
  ...{ toldLastMs: undefined, isDirty: true, dueMs: null },
};

type Parts = Partial<Omit<Group, "members">> & {
  readonly times?: number[];
  readonly ids?: string[];
  readonly froms?: number[];
};
function groupOf({ times = [AT_MS], ids = ["a"], froms, ...rest }: Parts): Group {
  const group = Object.assign(emptyGroup(["ann"]), rest);
  Object.assign(group.members, { times, ids, froms });
  return group;
}

const text = fc.string({ unit: fc.constantFrom("a", "Z", "0", "\u0000", "ÿ", '"'), maxLength: 60 });
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const plainGroup = fc
  .record({
    members: fc.array(fc.tuple(time, text, fc.nat(255)), { minLength: 1, maxLength: 12 }),
    hasFroms: fc.boolean(),
    episode: fc.option(
      fc.record({
        ...{ firstMs: time, lastMs: time, revision: fc.nat(2 ** 32 - 1) },
        ...{
          id: fc.option(
            text.map((id) => `e${id}`),
            { nil: undefined },
          ),
          isDirty: fc.boolean(),
        },
        dueMs: fc.option(time),
      }),
    ),
  })
  .map(({ members, hasFroms, episode: drawn }) =>
    groupOf({
      times: members.map(([timeMs]) => timeMs),
      ids: members.map(([, id]) => id),
      ...(hasFroms && { froms: [...members.map(([, , from]) => from).slice(1), 1] }),
      episodes: drawn ? [{ ...episode, ...drawn }] : [],
    }),
  );

test("what is put up is read as it was, whatever was put up and freed around it", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(plainGroup, fc.boolean()), { maxLength: 60 }), (drawn) => {
      const shelf = new Shelf();
      const kept = new Map<number, Group>();
      for (const [group, stays] of drawn) {
        const place = shelf.put(group);
        if (place === undefined) throw new Error("a plain group fits");
        expect(kept.has(place)).toBe(false);
        if (stays) kept.set(place, group);
        else shelf.free(place);
      }
      for (const [place, group] of kept) {
        expect(shelf.read(place, ["ann"])).toEqual(group);
        expect(shelf.lastMs(place)).toBe(group.members.lastMs);
      }
    }),
  );
});

test("thousands of groups grow beside each other, in several chunks", () => {
  const shelf = new Shelf();
  const idOf = (group: number, member: number) => `${group}/${"i".repeat(group % 30)}/${member}`;
  const places: (number | undefined)[] = Array.from({ length: 20_000 }, (_, group) =>
    shelf.begin({ timeMs: AT_MS + group, id: idOf(group, 0), from: 0 }),
  );
  for (let member = 1; member < 6; member++)
    for (const [group, place] of places.entries())
      places[group] = shelf.append(
        place ?? -1,
        { timeMs: AT_MS + group + member, id: idOf(group, member), from: 0 },
        STAYS,
      );
  for (const [group, place] of places.entries()) {
    const { members } = shelf.read(place ?? -1, ["ann"]);
    expect(members.times).toEqual([0, 1, 2, 3, 4, 5].map((member) => AT_MS + group + member));
    expect(members.ids).toEqual([0, 1, 2, 3, 4, 5].map((member) => idOf(group, member)));
  }
});

test.for<{ name: string; parts: Parts }>([
  { name: "no members", parts: { times: [], ids: [] } },
  { name: "an id that is not Latin-1", parts: { ids: ["\u2028"] } },
  { name: "a long id", parts: { ids: [LONG] } },
  { name: "a time before 1970", parts: { times: [-1] } },
  { name: "a part of a millisecond", parts: { times: [0.5] } },
  { name: "a time of the far future", parts: { times: [2 ** 48] } },
  { name: "many members", parts: { times: Array(16).fill(0), ids: Array(16).fill("a") } },
  { name: "a rule's place beyond a byte", parts: { froms: [256] } },
  { name: "several episodes", parts: { episodes: [episode, episode] } },
  {
    name: "an episode that took others in",
    parts: { episodes: [{ ...episode, replaces: ["e"] }] },
  },
  { name: "an episode's level", parts: { episodes: [{ ...episode, level: "high" }] } },
  { name: "what suppression was told", parts: { episodes: [{ ...episode, toldLastMs: 5 }] } },
  { name: "an episode before 1970", parts: { episodes: [{ ...episode, firstMs: -1 }] } },
  { name: "a long id of the episode", parts: { episodes: [{ ...episode, id: LONG }] } },
  { name: "something forgotten", parts: { forgottenBeforeMs: 0 } },
  { name: "something settled", parts: { settledMs: 0 } },
  { name: "a late member", parts: { late: { firstMs: 0, lastMs: 1 } } },
  { name: "a carry", parts: { carry: { firstMs: 0, count: 1, kept: [] } } },
  { name: "a bound", parts: { bounded: true } },
  { name: "a page", parts: { page: true } },
])("does not fit: $name", ({ parts }) => {
  expect(new Shelf().put(groupOf(parts))).toBeUndefined();
});

test.for<{ name: string; parts?: Parts; id?: string; timeMs?: number; stays?: Partial<AtRest> }>([
  { name: "as many as are allowed", stays: { max: 2 } },
  { name: "as many as are needed, the span apart", stays: { count: 3, spanMs: 4 } },
  { name: "a known id", id: "b" },
  { name: "not behind the last", timeMs: AT_MS + 2 },
  { name: "an id that does not fit", id: LONG },
  { name: "an id that is not Latin-1", id: "\u0100" },
  { name: "members of several rules", parts: { froms: [0, 1] } },
  { name: "enough for an episode that is awaited", stays: { count: 3, spanMs: 4, holds: true } },
  {
    name: "enough for another episode",
    parts: { episodes: [{ ...episode, firstMs: AT_MS - 9, lastMs: AT_MS - 5 }] },
    stays: { count: 3, spanMs: 4, holds: true, mayBegin: true },
  },
])("has to be looked at: $name", ({ parts = {}, id = "c", timeMs = AT_MS + 4, stays = {} }) => {
  const shelf = new Shelf();
  const place = shelf.put(groupOf({ times: [AT_MS, AT_MS + 2], ids: ["a", "b"], ...parts }));
  expect(
    shelf.append(place ?? -1, { timeMs, id, from: 0 }, { ...STAYS, ...stays }),
  ).toBeUndefined();
});

test("stays: as many as are needed, but further apart than the span", () => {
  const shelf = new Shelf();
  const place = shelf.put(groupOf({ times: [AT_MS, AT_MS + 2], ids: ["a", "b"] })) ?? -1;
  const stays = { ...STAYS, count: 3, spanMs: 3 };
  const grown = shelf.append(place, { timeMs: AT_MS + 4, id: "c", from: 0 }, stays);
  expect(shelf.read(grown ?? -1, ["ann"]).members.ids).toEqual(["a", "b", "c"]);
});
