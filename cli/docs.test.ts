import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../core/package-root.ts";
import { madePages } from "./docs.ts";
import { VERBS } from "./verbs.ts";

test("docs/ holds what the code makes; `node cli/docs.ts` writes it anew", async () => {
  const pages = await madePages();
  for (const [path, text] of Object.entries(pages))
    expect(readFileSync(join(packageRoot(), path), "utf8"), path).toBe(text);
  expect(Object.keys(pages)).toEqual([
    "docs/cli.md",
    "docs/configuration.md",
    "docs/schema/wache-rule.json",
  ]);
});

test("each verb has the name and summary that the table says, options with words, and an example", async () => {
  for (const { name, summary, load } of VERBS) {
    const verb = await load();
    expect({ name: verb.name, summary: verb.summary }).toEqual({ name, summary });
    expect(verb.examples.length, name).toBeGreaterThan(0);
    for (const { line } of verb.examples) expect(line).toMatch(new RegExp(`\\bwache ${name}\\b`));
  }
  expect(VERBS.length).toBeGreaterThan(10);
});
