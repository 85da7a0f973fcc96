import fc from "fast-check";
import { expect, test } from "vitest";
import { idOf } from "../../core/event.ts";
import { IdMarks } from "./id-marks.ts";
import { Members } from "./members.ts";

const COUNT = 2000;

test("what was added may always be there", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 100 }), fc.string(), (ids, one) => {
      const marks = new IdMarks(ids);
      marks.add(one);
      expect([...ids, one].filter((id) => !marks.mayHave(id))).toEqual([]);
    }),
  );
});

test.for([
  { name: "hashes", idAt: (at: number) => idOf(at) },
  { name: "numbers", idAt: (at: number) => String(at) },
  { name: "numbers behind a long name", idAt: (at: number) => `a-client-of-ours/${at}` },
])("of what was not added few may be there: $name", ({ idAt }) => {
  const marks = new IdMarks([]);
  let added = 0;
  do added += 1;
  while (marks.add(idAt(added)));
  const wrong = Array.from({ length: COUNT }, (_, at) => marks.mayHave(idAt(added + 1 + at)));
  expect(wrong.filter(Boolean).length).toBeLessThan(COUNT / 50);
});

test("a busy group that gets everything again takes nothing twice, and what is new", () => {
  const members = new Members();
  const one = (at: number, from = 0) => ({ timeMs: at, id: String(at), from });
  const all = Array.from({ length: COUNT }, (_, at) => at);
  expect(all.filter((at) => members.add(one(at)) === undefined)).toEqual([]);
  for (let round = 0; round < 2; round++)
    expect(all.filter((at) => members.add(one(at)) !== undefined)).toEqual([]);
  expect(members.add(one(7, 1))).toBeDefined();
  expect(members.add(one(7, 1))).toBeUndefined();
  expect(members.add(one(COUNT))).toBe(COUNT + 1);
  members.drop(COUNT / 2);
  expect([members.add(one(COUNT)), members.add(one(0))]).toEqual([undefined, 0]);
});
