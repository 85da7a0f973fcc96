import { expect, test } from "vitest";
import { lineBatches } from "./lines.ts";

const collect = async (
  chunks: readonly string[],
  limits?: { linesMax: number; bytesMax: number },
) => {
  const found: [number, number, string][] = [];
  const bytes = async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk, "latin1");
  };
  for await (const { position, lines, body } of lineBatches(bytes(), limits))
    found.push([position, lines, body.toString("latin1")]);
  return found;
};

test.for([
  { name: "nothing", chunks: [], want: [] },
  { name: "an empty chunk", chunks: [""], want: [] },
  { name: "one line without an end gets one", chunks: ["a"], want: [[0, 1, "a\n"]] },
  { name: "empty lines keep their place", chunks: ["a\n\nb\n"], want: [[0, 3, "a\n\nb\n"]] },
  { name: "a line over chunks", chunks: ["a", "b", "c\nd", "\n"], want: [[0, 2, "abc\nd\n"]] },
  { name: "bytes that are no text stay", chunks: ["\xff\x00\r\n"], want: [[0, 1, "\xff\x00\r\n"]] },
  {
    name: "as many lines as fit, one more begins a batch",
    chunks: ["1\n2\n3\n4\n"],
    limits: { linesMax: 3, bytesMax: 100 },
    want: [
      [0, 3, "1\n2\n3\n"],
      [3, 1, "4\n"],
    ],
  },
  {
    name: "exactly as many bytes as fit",
    chunks: ["11\n22\n3\n"],
    limits: { linesMax: 9, bytesMax: 6 },
    want: [
      [0, 2, "11\n22\n"],
      [2, 1, "3\n"],
    ],
  },
  {
    name: "a line that is longer than a batch goes alone",
    chunks: ["1\n22222222\n3\n"],
    limits: { linesMax: 9, bytesMax: 4 },
    want: [
      [0, 1, "1\n"],
      [1, 1, "22222222\n"],
      [2, 1, "3\n"],
    ],
  },
])("lines: $name", async ({ chunks, limits, want }) => {
  expect(await collect(chunks, limits)).toEqual(want);
});

test("of an endless line only the first bytes are kept, and the next line has its place", async () => {
  const chunk = "x".repeat(1024 * 1024);
  const [first, second] = await collect([...Array.from({ length: 10 }, () => chunk), "\nnext"]);
  expect([first?.[0], first?.[1], first?.[2].length]).toEqual([0, 1, 8 * 1024 * 1024 + 1]);
  expect(second).toEqual([1, 1, "next\n"]);
});
