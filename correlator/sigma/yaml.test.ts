// The reader of block YAML against the library, and what bad files cost.
import fc from "fast-check";
import { expect, test } from "vitest";
import { libraryDocuments, type Node, sourceOf } from "./yaml.ts";
import { blockDocuments } from "./yaml-block.ts";

const byLibrary = (text: string) => {
  const { source } = sourceOf("rule.yml", "");
  const documents = libraryDocuments(text, source);
  const problems = [...source.problems, ...documents.flatMap((one) => one.problems)];
  return { nodes: documents.map(({ node }) => node), problems };
};

const word = fc.constantFrom(
  ..."a|title|x: y|'it''s'|\"a\\nb\"|null|12|-|- |1.5|# no|a #b|a: #b|~|true|0x1f|[a]|{a: 1}|&a|*a|!t|'|\"|:|::|a:b|é\ud83d\ude00|<<|---|...|? a|\\|>|\t|%"
    .split("|")
    .concat("|", "|-", ">-", "  ", ""),
);
const line = fc
  .tuple(
    fc.constantFrom(0, 0, 2, 2, 4, 1),
    fc.constantFrom("", "- ", "- - "),
    fc.constantFrom("", "k: ", "l: ", "'q': ", '"d":', "m:"),
    word,
    fc.constantFrom("", " ", " # c"),
  )
  .map(([indent, dash, key, value, tail]) => " ".repeat(indent) + dash + key + value + tail);

/** Where a value that is not written stands is anybody's guess. */
const settled = (nodes: readonly Node[]): unknown =>
  JSON.parse(JSON.stringify(nodes), (_key, one) =>
    one?.kind === "scalar" && one.source === "" && one.value === null ? { ...one, offset: 0 } : one,
  );

test("generated texts: what the block reader reads is what the library reads", () => {
  let read = 0;
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 7 }),
      fc.constantFrom("", "\n", "\n\n"),
      (lines, end) => {
        const text = lines.join("\n") + end;
        const nodes = blockDocuments(text);
        if (nodes === undefined) return;
        read += 1;
        const library = byLibrary(text);
        expect([settled(nodes), []]).toEqual([settled(library.nodes), library.problems]);
      },
    ),
    { numRuns: 20_000 },
  );
  expect(read).toBeGreaterThan(1000);
});
