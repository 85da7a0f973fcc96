// Windows events as each shipper writes them: public rules find in them what they find in Sigma's own form.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { withWindowsFields } from "../collectors/parsers/windows-shippers.ts";
import { loadMappings, shippedMappings } from "../core/mappings.ts";
import { formOf } from "../correlator/event-forms.ts";
import { indexedMatcher } from "../correlator/match/indexed.ts";
import type { Readable } from "../correlator/match/matcher.ts";
import { readRules } from "../correlator/sigma/load.ts";
import { stampedLine } from "./stamped.ts";

type Case = {
  readonly name: string;
  readonly event: Readable;
  readonly finds: Readable; // a rule that the event satisfies
  readonly not?: Readable; // and one that it does not
};
const file = join(import.meta.dirname, "fixtures", "windows-events.yml");
const cases = parse(readFileSync(file, "utf8")) as readonly Case[];
const mappings = await loadMappings([shippedMappings()]);

function isFound(rule: Readable, event: Readable): boolean {
  const text = stringify(
    { title: "a rule", level: "low", ...rule },
    { aliasDuplicateObjects: false },
  );
  const { set, problems } = readRules([{ path: "a.yml", text, lenient: false }], {
    mapField: mappings.field,
  });
  if (!set) throw new Error(problems.map(({ at, message }) => `${at}: ${message}`).join("\n"));
  return indexedMatcher(set).match(event, formOf(event, mappings).sources).length > 0;
}

test.for(cases)("$name", ({ event, finds, not }) => {
  for (const seen of [withWindowsFields(event), stampedLine(JSON.stringify(event), mappings)]) {
    expect(isFound(finds, seen)).toBe(true);
    if (not) expect(isFound(not, seen)).toBe(false);
  }
});
