import fc from "fast-check";
import { expect, test } from "vitest";
import type { CorrelationRule } from "../../core/records.ts";
import { firstsAtLeast, type Gauge, gaugeOf } from "./condition.ts";
import { cover } from "./episodes.ts";
import { freeze, thaw } from "./frozen.ts";
import { addMember, emptyGroup, forget, type Group } from "./group.ts";
import { nameOf } from "./group-name.ts";
import { GroupStore } from "./group-store.ts";
import type { Member } from "./members.ts";
import { type AtRest, fitsMember } from "./shelf.ts";

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

const counting = { ...rule, condition: { gte: 3 } };
const together: CorrelationRule = {
  ...{ ...rule, type: "temporal", rules: ["r0", "r1", "r2"], condition: { gte: 2 } },
};
const inOrder: CorrelationRule = {
  ...{ ...rule, type: "temporal_ordered", rules: ["r0", "r1"], condition: { gte: 2 } },
};

test.for([
  { name: "event_count", of: counting, froms: [0] },
  { name: "event_count of many", of: { ...rule, condition: { gte: 1000 } }, froms: [0] },
  { name: "temporal", of: together, froms: [0, 1, 2] },
  { name: "temporal_ordered", of: inOrder, froms: [0, 1] },
])("a group at rest, and its episode, grow as one that is looked at: $name", ({ of, froms }) => {
  const step = fc.record({
    timeMs: fc.oneof(fc.integer({ min: -3, max: 300 }), fc.constant(undefined)), // else behind the last
    afterMs: fc.integer({ min: 1, max: 120 }),
    id: fc.constantFrom(...IDS),
    from: fc.constantFrom(...froms),
    isTold: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 24 }),
      fc.record({ max: fc.integer({ min: 1, max: 12 }), mayBegin: fc.boolean() }),
      fc.boolean(),
      (steps, { max, mayBegin }, isSimple) => {
        const gauge = gaugeOf(of);
        const holds = of.type === "event_count" ? true : gauge;
        const rest: AtRest = {
          ...{ max, mayBegin, count: firstsAtLeast(of), spanMs: of.spanMs },
          holds: isSimple ? holds : undefined,
        };
        const store = new GroupStore();
        const twin = emptyGroup(["ann"]);
        for (const { timeMs: drawnMs, afterMs, id, from, isTold } of steps) {
          const lastMs = Math.max(0, twin.members.lastMs);
          const member = { timeMs: drawnMs ?? lastMs + afterMs, id, from };
          const wasToTell = twin.episodes.filter(({ isDirty }) => isDirty).length;
          addMember(of, twin, member, { atOnce: true, held: undefined, spare: gaugeOf(of) });
          take(store, of, member, { rest, gauge, wasToTell });
          expect(store.lastMs("ann")).toBe(twin.members.lastMs);
          if (!isTold) continue;
          told(twin);
          store.keep("ann", told(store.get("ann")));
        }
        expect([...store.texts()]).toEqual([["ann", freeze(twin)]]);
      },
    ),
  );
});

/** As the windows of a rule do it. */
function take(
  store: GroupStore,
  of: CorrelationRule,
  member: Member,
  on: { readonly rest: AtRest; readonly gauge: Gauge; readonly wasToTell: number },
): void {
  const found = store.append("ann", member, on.rest);
  if (found === "rests") {
    const toTell = store.look("ann")?.episodes.filter(({ isDirty }) => isDirty) ?? [];
    const [episode] = toTell.length > on.wasToTell ? toTell : [];
    const { id, lastMs, dueMs } = episode ?? {};
    expect(store.news).toEqual(episode && expect.objectContaining({ id, lastMs, dueMs }));
  } else if (!found && fitsMember(member)) store.begin("ann", member);
  else {
    const group = found ?? emptyGroup(["ann"]);
    addMember(of, group, member, { atOnce: true, held: undefined, spare: on.gauge });
    store.keep("ann", group);
  }
}

function told(group = emptyGroup(["ann"])): Group {
  for (const episode of group.episodes) {
    episode.id ??= `e${episode.firstMs}`;
    episode.revision += 1;
    episode.dueMs = episode.lastMs + 7;
    episode.isDirty = false;
  }
  return group;
}

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
