// field-reader.test.ts — one walk finds what looking for each field finds.
import fc from "fast-check";
import { expect, test } from "vitest";
import { FieldReader, valueAtFirst } from "./field-reader.ts";

const FIELDS = [
  ["a"],
  ["a.b", "c"],
  ["a.b.c", "a.b", "d"],
  ["d.a", "constructor", "a.c"],
  ["missing", "b.c.a"],
  ["a.b", "{a.c}-{b}", "c"],
  ["{a}{a.b.c}{c}"],
  ["a[0].b", "c"],
  ["a.b[**]", "d[json]"],
  ["b", "a[b=x].c[0]", "c[ ]"],
];
const key = fc.constantFrom("a", "b", "c", "d", "a.b", "b.c", "a.b.c", "constructor", "__proto__");
const { event } = fc.letrec<{ event: unknown; value: unknown }>((tie) => ({
  event: fc.dictionary(key, tie("value"), { maxKeys: 5 }),
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(1, "x", null, false),
    tie("event"),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
}));

test("generated events: the values that fieldOf gives, each field once", () => {
  const reader = new FieldReader();
  for (const paths of FIELDS) reader.slotOf(paths);
  fc.assert(
    fc.property(event, (drawn) => {
      const json = JSON.parse(JSON.stringify(drawn)) as Record<string, unknown>;
      const found = reader.read(json).map((slot) => [slot, reader.value(slot)] as const);
      const wanted = FIELDS.map((paths, field) => [field, valueAtFirst(json, paths)] as const);
      expect(found.toSorted(([a], [b]) => a - b)).toEqual(
        wanted.filter(([, value]) => value !== undefined),
      );
    }),
    { numRuns: 3000 },
  );
});
