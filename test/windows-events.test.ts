// Windows events as each shipper writes them: public rules find in them what they find in Sigma's own form.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { withWindowsFields } from "../collectors/parsers/windows-shippers.ts";
import { type Entry, newTally, stampLine } from "../collectors/stamp.ts";
import { loadMappings, shippedMappings } from "../core/mappings.ts";
import type { EventRecord } from "../core/records.ts";
import { formOf } from "../correlator/event-forms.ts";
import { indexedMatcher } from "../correlator/match/indexed.ts";
import type { Readable } from "../correlator/match/matcher.ts";
import { readRules } from "../correlator/sigma/load.ts";

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

/** As the collector stamps it. */
function stamped(event: Readable): Readable {
  const atMs = Date.UTC(2026, 0, 15, 12);
  const entries: Entry[] = [];
  stampLine(
    { text: JSON.stringify(event) },
    {
      ...{ feeder: "f", stream: "live", source: "s", zone: "UTC", latenessMs: 0 },
      sourcesOf: mappings.sourcesOf,
    },
    { receiptMs: atMs, id: () => "id", clock: () => atMs },
    { entries, tally: newTally() },
  );
  const value = entries[0]?.record.value as EventRecord;
  if (value.kind !== "event") throw new Error("no event");
  return value.event;
}

test.for(cases)("$name", ({ event, finds, not }) => {
  for (const seen of [withWindowsFields(event), stamped(event)]) {
    expect(isFound(finds, seen)).toBe(true);
    if (not) expect(isFound(not, seen)).toBe(false);
  }
});
