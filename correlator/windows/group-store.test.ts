import fc from "fast-check";
import { expect, test } from "vitest";
import type { CorrelationRule } from "../../core/records.ts";
import { gaugeOf } from "./condition.ts";
import { cover } from "./episodes.ts";
import { freeze, thaw } from "./frozen.ts";
import { addMember, emptyGroup, forget, type Group } from "./group.ts";
import { nameOf } from "./group-name.ts";
import { GroupStore } from "./group-store.ts";
import { fitsMember } from "./shelf.ts";

const IDS = [
  "a",
  "b",
  "ab",
  '"',
  ",",
  "]]",
  "\\",
  "\u2028é",
  ...Array.from({ length: 20 }, (_, n) => `id${n}`),
];
const GROUPS = 30_000; // more than are kept as objects

const rule: CorrelationRule = {
  version: "v1",
  about: { id: "many", title: "many", level: "high", tags: [] },
  type: "event_count",
  spanMs: 100,
  groupBy: ["user.name"],
  condition: { gte: 3 },
  rules: ["r0"],
  level: 0,
  generate: true,
  feeds: [],
};

const ON = { atOnce: true, held: undefined, spare: gaugeOf(rule) };

function groupOf(name: string, times: readonly number[]): Group {
  const group = emptyGroup([name]);
  for (const [index, timeMs] of times.entries())
    addMember(rule, group, { timeMs, id: `${name}/${index}`, from: 0 }, ON);
  return group;
}
/** All of a group but what only says how it is kept. */
const seen = ({ usedInTurn: _, ...group }: Group) => group;

test.for([
  { name: "one member", times: [1_767_225_600_000] },
  { name: "none", times: [] },
  { name: "before 1970, and at once", times: [-5, -5, 0] },
  { name: "an episode", times: [0, 10, 20] },
  { name: "a late member", times: [0, 500, 20] },
])("a frozen group thaws as it was: $name", ({ times }) => {
  const group = groupOf("ann", times);
  expect(thaw(["ann"], freeze(group))).toEqual(group);
});

test("a frozen group keeps what was told, forgotten and settled", () => {
  const group = groupOf("ann", [0, 10, 20, 100, 110]);
  cover(group.episodes, { firstMs: 0, lastMs: 110 });
  Object.assign(group.episodes[0] ?? {}, { id: "e1", revision: 3, dueMs: 50, replaces: ["e0"] });
  Object.assign(group.episodes[0] ?? {}, { level: "high", toldLastMs: 90 });
  forget(group, 15);
  Object.assign(group, { settledMs: 30, bounded: true, lacking: true, page: true });
  group.members.froms = [0, 1, 0];
  group.members.values = [["x"], 5, []];
  group.members.carried = [undefined, { u: ["x", "y"] }, {}];
  group.members.held = [0, 1, 1];
  expect(thaw(["ann"], freeze(group))).toEqual(group);
});

test("groups are found as they were left, however many came in between", () => {
  const store = new GroupStore();
  const nameAt = (index: number) => nameOf([`user${index}`]);
  for (let index = 0; index < GROUPS; index++)
    store.keep(nameAt(index), groupOf(`user${index}`, [index, index + 1]));
  const large = Array.from({ length: 40 }, (_, index) => index);
  store.keep(nameOf(["large"]), groupOf("large", large));
  for (let round = 0; round < 2; round++)
    for (let index = 0; index < GROUPS; index++) {
      const group = store.get(nameAt(index));
      if (!group) throw new Error(`${nameAt(index)} is not there`);
      group.members.add({ timeMs: index + 2 + round, id: `${round}`, from: 0 });
      store.keep(nameAt(index), group);
    }
  expect(store.size).toBe(GROUPS + 1);
  for (const index of [0, 1, 15_000, GROUPS - 1])
    expect(store.get(nameAt(index))?.members.times).toEqual([0, 1, 2, 3].map((ms) => index + ms));
  expect(seen(store.get(nameOf(["large"])) ?? emptyGroup([]))).toEqual(
    seen(groupOf("large", large)),
  );
  const copy = new GroupStore();
  for (const [name, text] of store.texts()) copy.restore(name, text);
  expect(new Map(copy.texts())).toEqual(new Map(store.texts()));
  expect([store.delete(nameAt(7)), store.delete(nameAt(7)), store.get(nameAt(7))]).toEqual([
    true,
    false,
    undefined,
  ]);
});

test("a large group that was restored is read once, a small one is a copy until it is kept", () => {
  const store = new GroupStore();
  const large = groupOf(
    "large",
    Array.from({ length: 40 }, (_, index) => index),
  );
  store.restore("large", freeze(large));
  store.restore("small", freeze(groupOf("small", [1, 2])));
  expect(store.get("large")).toBe(store.get("large"));
  expect(store.get("small")).not.toBe(store.get("small"));
});

test("a group at rest that a member is added to is the one that was looked at", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -3, max: 300 }), fc.constantFrom(...IDS)), {
        minLength: 1,
        maxLength: 20,
      }),
      fc.record({
        max: fc.integer({ min: 1, max: 20 }),
        count: fc.integer({ min: 2, max: 20 }),
        spanMs: fc.integer({ min: 1, max: 100 }),
      }),
      (drawn, stays) => {
        const store = new GroupStore();
        const twin = emptyGroup(["ann"]);
        const never = { ...rule, condition: { gte: 1000 } };
        for (const [index, [timeMs, id]] of drawn.entries()) {
          const member = { timeMs, id, from: 0 };
          addMember(never, twin, member, ON);
          if (index === 0 && fitsMember(timeMs, id)) {
            store.begin("ann", member);
            continue;
          }
          const found = store.append("ann", member, stays);
          if (found !== "rests") {
            const group = found ?? emptyGroup(["ann"]);
            addMember(never, group, member, ON);
            store.keep("ann", group);
          }
          expect(store.lastMs("ann")).toBe(twin.members.lastMs);
        }
        expect([...store.texts()]).toEqual([["ann", freeze(twin)]]);
      },
    ),
  );
});

test("different values have different names, and a thawed group has its values", () => {
  const all = [
    [],
    [""],
    ["", ""],
    ["a"],
    ["a", "b"],
    ["a\u0000b"],
    ["a", "\u0000b"],
    ['\u0000["a"]'],
  ];
  expect(new Set(all.map(nameOf)).size).toBe(all.length);
  const store = new GroupStore();
  for (const values of all) store.restore(nameOf(values), freeze(emptyGroup(values)));
  expect(all.map((values) => store.get(nameOf(values))?.values)).toEqual(all);
});
