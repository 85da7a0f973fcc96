// syslog-frames.test.ts — the same messages, however the network cuts the stream.
import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "./line-splitter.ts";
import { type Framed, SyslogFramer } from "./syslog-frames.ts";

const BYTES_MAX = 16;
function frame(bytes: Buffer, cuts: readonly number[]): Framed[] {
  const framer = new SyslogFramer(BYTES_MAX);
  const out: Framed[] = [];
  let from = 0;
  for (const cut of [
    ...cuts.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ]) {
    out.push(...framer.add(bytes.subarray(from, cut)));
    from = cut;
  }
  return [...out, ...framer.finish()];
}
const texts = (input: string): unknown[] =>
  frame(Buffer.from(input), []).map(({ text, truncatedBytes }) =>
    truncatedBytes === undefined ? text : [text, truncatedBytes],
  );

test.for([
  { name: "lines", input: "<1>a\n<1>b\r\n", want: ["<1>a", "<1>b"] },
  { name: "counted", input: "4 <1>a6 <1>b\nc", want: ["<1>a", "<1>b\nc"] },
  {
    name: "both in turn",
    input: "4 <1>a<1>b\n4 <1>c\n<1>d",
    want: ["<1>a", "<1>b", "<1>c", "<1>d"],
  },
  {
    name: "a line that begins with a number",
    input: "2026 is\n12 monkeys\n",
    want: ["2026 is", "12 monkeys"],
  },
  { name: "a count of nothing", input: "0 <1>a\n", want: ["0 <1>a"] },
  { name: "a count too large to be one", input: "1234567890 <\n", want: ["1234567890 <"] },
  { name: "half a line", input: "<1>a", want: ["<1>a"] },
  { name: "half a counted frame", input: "99 <1>abc", want: ["<1>abc"] },
  { name: "half a count", input: "12", want: ["12"] },
  { name: "a line as long as allowed", input: `${"x".repeat(16)}\r\n`, want: ["x".repeat(16)] },
  { name: "one longer", input: `${"x".repeat(17)}\nb\n`, want: [["x".repeat(16), 1], "b"] },
  { name: "much longer", input: `${"x".repeat(99)}\nb\n`, want: [["x".repeat(16), 83], "b"] },
  {
    name: "counted and longer",
    input: `20 <${"x".repeat(19)}4 <1>b`,
    want: [[`<${"x".repeat(15)}`, 4], "<1>b"],
  },
  { name: "nothing", input: "\n\n\u0000\n", want: [] },
])("frames: $name", ({ input, want }) => {
  expect(texts(input)).toEqual(want);
});

const piece = fc.oneof(
  fc.constantFrom("4 <1>a", "12 <", "1", "<13>x\n", "\n", "\u0000", "9 ", "40 <y"),
  fc.string({ maxLength: 30 }),
);
test("frames: cut anywhere, the same", () => {
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(), { maxLength: 8 }), (pieces, cuts) => {
      const bytes = Buffer.from(pieces.join(""));
      expect(frame(bytes, cuts)).toEqual(frame(bytes, []));
    }),
  );
});

test("lines of files: cut anywhere, the same lines at the same places", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 30 })),
      fc.array(fc.nat(), { maxLength: 8 }),
      (lines, cuts) => {
        const bytes = Buffer.from(lines.join("\n"));
        const splitter = new LineSplitter(BYTES_MAX, 100);
        const found = [];
        let from = 0;
        for (const cut of [
          ...cuts.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b),
          bytes.length,
        ]) {
          found.push(...splitter.add(bytes.subarray(from, cut)));
          from = cut;
        }
        const last = splitter.finish();
        if (last !== undefined) found.push(last);
        const want: number[] = [];
        let offset = 100;
        for (const part of bytes.toString("latin1").split("\n")) {
          want.push(offset);
          offset += part.length + 1;
        }
        if (bytes.length === 0 || bytes.at(-1) === 10) want.pop();
        expect(found.map((line) => line.offset)).toEqual(want);
        expect(splitter.offset).toBe(100 + bytes.length);
      },
    ),
  );
});
