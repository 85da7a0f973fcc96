import { expect, test } from "vitest";
import { idOf } from "../core/event.ts";
import { momentAt } from "./stream-moment.ts";

const stream = {
  ...{ name: "s", receiptMs: 50, openedMs: 40 },
  ...{ yearHintMs: undefined, lastTimeMs: undefined },
};
const clock = () => 7;

test.for([
  { name: "of nothing known", of: {}, want: { yearHintMs: 40 } },
  { name: "of a file", of: { yearHintMs: 30 }, want: { yearHintMs: 30, timeMs: 30 } },
  { name: "after a line", of: { lastTimeMs: 0 }, want: { yearHintMs: 40, timeMs: 0 } },
  {
    name: "of a file, after a line",
    of: { yearHintMs: 30, lastTimeMs: 20 },
    want: { yearHintMs: 30, timeMs: 20 },
  },
  { name: "shifted", of: { shiftMs: 0 }, want: { yearHintMs: 40, shiftMs: 0 } },
])("a moment $name", ({ of, want }) => {
  const { id, ...moment } = momentAt(3, { ...stream, ...of }, clock);
  expect(moment).toEqual({ receiptMs: 50, clock, ...want });
  expect([id(undefined), id(0), id(1)]).toEqual([idOf("s", 3), idOf("s", 3, 0), idOf("s", 3, 1)]);
});
