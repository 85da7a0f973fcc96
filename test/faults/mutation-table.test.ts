import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { applied, MUTATIONS } from "./mutation-table.ts";

const edits = MUTATIONS.flatMap(({ edits }) => edits);

test.for(edits)("$file says what a mutation takes out, once", (edit) => {
  const text = readFileSync(join(import.meta.dirname, "..", "..", edit.file), "utf8");
  expect(applied(edit, text)).not.toBe(text);
});

test.for(["", "here and here"])("an edit of code that has moved is refused: %s", (text) => {
  expect(() => applied({ file: "a.ts", from: "here", to: "there" }, text)).toThrow(
    /a\.ts has [02] times, not once: here/,
  );
});
