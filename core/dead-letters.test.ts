import fc from "fast-check";
import { expect, test } from "vitest";
import type { BusRecord } from "./bus/bus.ts";
import { type LettersWish, readDeadLetters } from "./dead-letters.ts";
import type { DeadLetter, TopicName } from "./records.ts";

const letter = (id: string, atMs: number, more: Partial<DeadLetter> = {}): DeadLetter => ({
  ...{ kind: "dead-letter", id, source: "s", reason: "why", code: "parse.failed", atMs },
  ...{ raw: `raw of ${id}`, encoding: "utf8" },
  ...more,
});

const busOf = (...partitions: readonly (readonly unknown[])[]) => ({
  partitions: () => partitions.length,
  async *read(topic: TopicName, partition: number, fromOffset: number): AsyncGenerator<BusRecord> {
    for (const [offset, value] of (partitions[partition] ?? []).entries())
      if (offset >= fromOffset)
        yield { ...{ topic, partition, offset, key: "s", text: "", timestampMs: 0 }, value };
  },
});

const THREE = [letter("a", 1), letter("c", 3, { code: "json.too-deep" })] as const;
const bus = busOf(THREE, [letter("b", 2)], []);

test.for<{ name: string; wish: Partial<LettersWish>; want: readonly string[] }>([
  { name: "the newest first, over all partitions", wish: {}, want: ["c", "b", "a"] },
  { name: "from a time on, inclusive", wish: { fromMs: 2 }, want: ["c", "b"] },
  { name: "one past it", wish: { fromMs: 3 }, want: ["c"] },
  { name: "until a time, inclusive", wish: { toMs: 2 }, want: ["b", "a"] },
  { name: "of a code", wish: { code: "parse.failed" }, want: ["b", "a"] },
  { name: "of a code that none has", wish: { code: "x" }, want: [] },
  { name: "by ids", wish: { ids: new Set(["a", "c", "x"]) }, want: ["c", "a"] },
  { name: "as many as asked for", wish: { limit: 3 }, want: ["c", "b", "a"] },
])("letters: $name", async ({ wish, want }) => {
  const page = await readDeadLetters(bus, { limit: 10, ...wish });
  expect([page.items.map(({ id }) => id), page.cursor]).toEqual([want, undefined]);
});

test("the whole letter comes back", async () => {
  const { items } = await readDeadLetters(bus, { limit: 1 });
  expect(items).toEqual([THREE[1]]);
});

test.for([
  { name: "the older one first", times: [1, 5] },
  { name: "the newer one first", times: [5, 1] },
])("a letter that came twice is there once, with its newer time: $name", async ({ times }) => {
  const twice = busOf(times.map((atMs) => letter("a", atMs)));
  expect((await readDeadLetters(twice, { limit: 9 })).items).toEqual([letter("a", 5)]);
});

test("what is no letter is passed over", async () => {
  const { id: _, ...nameless } = letter("a", 1);
  const strange = [undefined, null, 7, [], {}, nameless, { ...letter("a", 1), atMs: "1" }];
  expect(await readDeadLetters(busOf(strange, [letter("b", 1)]), { limit: 9 })).toEqual({
    items: [letter("b", 1)],
  });
});

const MEGABYTE = "x".repeat(1_048_576);
const HUGE = MEGABYTE.repeat(17);
test.for([
  { name: "large ones", raws: Array.from({ length: 20 }, () => MEGABYTE), want: [15, 5] },
  { name: "one that is too large for a page", raws: [HUGE, "y"], want: [1, 1] },
  { name: "small ones around it", raws: ["y", HUGE, "z"], want: [1, 1, 1] },
  { name: "around two", raws: ["y", HUGE, HUGE, "z"], want: [1, 1, 1, 1] },
])("a page is bounded in size, and the next one goes on: $name", async ({ raws, want }) => {
  const large = busOf(raws.map((raw, at) => letter(`id${at}`, 1000 - at, { raw })));
  const pages = await pagesOf(large, 100);
  expect(pages.map((ids) => ids.length)).toEqual(want);
  expect(pages.flat()).toEqual(raws.map((_, at) => `id${at}`));
});

test("a cursor that no list gave is refused", async () => {
  for (const cursor of ["", "x", "1.", ".a", "a.1"])
    await expect(readDeadLetters(bus, { limit: 1, cursor })).rejects.toMatchObject({
      code: "dead-letter.cursor",
    });
});

async function pagesOf(from: typeof bus, limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await readDeadLetters(from, { limit, cursor });
    pages.push(page.items.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pages;
}

test("page by page gives what sorting all of them gives", async () => {
  const some = fc.record({
    id: fc.integer({ min: 0, max: 40 }),
    atMs: fc.integer({ min: 0, max: 12 }),
    partition: fc.integer({ min: 0, max: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(some, { selector: ({ id }) => id, maxLength: 40 }),
      fc.integer({ min: 1, max: 9 }),
      async (all, limit) => {
        const parts = [0, 1, 2].map((partition) =>
          all
            .filter((one) => one.partition === partition)
            .map(({ id, atMs }) => letter(`id${id}`, atMs)),
        );
        const want = parts
          .flat()
          .toSorted((a, b) => b.atMs - a.atMs || (a.id < b.id ? -1 : 1))
          .map(({ id }) => id);
        const pages = await pagesOf(busOf(...parts), limit);
        expect(pages.flat()).toEqual(want);
        expect(pages.every((ids) => ids.length <= limit)).toBe(true);
      },
    ),
  );
});
