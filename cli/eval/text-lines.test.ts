import { expect, test } from "vitest";
import { eachLine } from "./text-lines.ts";

async function linesOf(bytes: Buffer, chunkBytes: number, bytesMax?: number) {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  const found: (readonly [number, string | undefined])[] = [];
  const take = (line: string | undefined, number: number): void => void found.push([number, line]);
  await eachLine(chunks(), take, bytesMax === undefined ? {} : { bytesMax });
  return found;
}

const TEXTS = [
  { name: "nothing", text: "", want: [] },
  { name: "one line", text: "a\n", want: ["a"] },
  { name: "no newline at the end", text: "a\nbc", want: ["a", "bc"] },
  { name: "empty lines", text: "\n\na\n", want: ["", "", "a"] },
  { name: "carriage returns stay", text: "a\r\nb\r\n", want: ["a\r", "b\r"] },
  { name: "more than ASCII", text: "é1\n€2😀\nplain\n", want: ["é1", "€2😀", "plain"] },
  { name: "the longest allowed", text: `${"x".repeat(20)}\ny\n`, want: ["x".repeat(20), "y"] },
  {
    name: "one too long",
    text: `a\n${"x".repeat(21)}\ny\n`,
    want: ["a", undefined, "y"],
  },
  { name: "one too long at the end", text: `a\n${"x".repeat(21)}`, want: ["a", undefined] },
];
for (const chunkBytes of [1, 3, 7, 1000])
  test.for(TEXTS)(`in chunks of ${chunkBytes} bytes: $name`, async ({ text, want }) => {
    const found = await linesOf(Buffer.from(text), chunkBytes, 20);
    expect(found).toEqual(want.map((line, number) => [number, line]));
  });

test("what is written goes out after each chunk, and the next one waits for it", async () => {
  const done: string[] = [];
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("a\nb\nc");
    done.push("asked for the next");
    yield Buffer.from("d\n");
  }
  await eachLine(chunks(), (line) => void done.push(String(line)), {
    afterChunk: async () => {
      await Promise.resolve();
      done.push("written");
    },
  });
  expect(done).toEqual(["a", "b", "written", "asked for the next", "cd", "written", "written"]);
});
