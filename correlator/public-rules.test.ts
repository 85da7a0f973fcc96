// The public rules and the events recorded for them: they lie beside the checkout, and only where somebody put them.
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { LogSource } from "../core/event.ts";
import { shippedMappings } from "../core/mappings.ts";
import { formOf } from "./event-forms.ts";
import { indexedMatcher } from "./match/indexed.ts";
import type { Readable } from "./match/matcher.ts";
import { ruleDisk } from "./sigma/disk.ts";
import { fieldsOf } from "./sigma/fields.ts";
import { loadRules } from "./sigma/load.ts";
import type { LoadedRules } from "./sigma/rule.ts";

const DATA = join(import.meta.dirname, "..", "..", "shared", "data");
const RULES = join(DATA, "sigma", "rules");
const CASES = join(DATA, "sigma", "regression");
const LANES = join(DATA, "lanes");
const why = (path: string): string => (existsSync(path) ? "" : `: ${path} is not there`);

const load = async (path: string): Promise<Required<Omit<LoadedRules, "places" | "assets">>> => {
  const reading = { mappings: [shippedMappings()] };
  const { set, mappings, problems, leftOut } = await loadRules(
    [{ path, lenient: false }],
    ruleDisk,
    reading,
  );
  if (!set || !mappings) throw new Error(problems.map(({ at, message }) => `${at}: ${message}`)[0]);
  return { set, mappings, problems, leftOut };
};

test.skipIf(!existsSync(RULES))(
  `all of them load as a strict set${why(RULES)}`,
  async () => {
    const { set, problems } = await load(RULES);
    expect(problems).toEqual([]);
    expect(set.detections.length).toBeGreaterThanOrEqual(3141);
  },
  60_000,
);

test.skipIf(!existsSync(RULES))(
  `every field is known to the mappings of its log source${why(RULES)}`,
  async () => {
    const { set, mappings } = await load(RULES);
    const unknown = set.detections.flatMap((rule) =>
      fieldsOf(rule)
        .fields.filter(({ field }) => !mappings.isKnown(rule.logsource, field.name))
        .map(({ field }) => `${rule.at}: ${field.name}`),
    );
    expect(unknown).toEqual([]);
  },
  60_000,
);

const cases = existsSync(CASES) ? await readdir(CASES) : [];

test.skipIf(cases.length === 0)(
  `each matches what was recorded for it, nested and flattened${why(CASES)}`,
  async () => {
    const missed: string[] = [];
    for (const id of cases) {
      const { set, mappings } = await load(join(CASES, id, "rule.yml"));
      const events = documentsOf(await readFile(join(CASES, id, "event.json"), "utf8"));
      const matcher = indexedMatcher(set);
      const isMatched = (event: Readable, form: string): boolean => {
        const seen = formOf(event, mappings);
        return seen.form === form && matcher.match(event, seen.sources).length > 0;
      };
      const source = set.detections[0]?.logsource ?? {};
      if (!events.some((event) => isMatched(event, "evtx"))) missed.push(`${id}, nested`);
      if (!events.some((event) => isMatched(flat(event, source), "flat")))
        missed.push(`${id}, flattened`);
    }
    expect(missed).toEqual([]);
  },
  60_000,
);

const NESTED = join(LANES, "recorded_nested.ndjson.gz");
test.skipIf(!existsSync(NESTED))(
  `recorded events give the same matches nested as flat, and those of further categories${why(NESTED)}`,
  async () => {
    const { set, mappings } = await load(RULES);
    const matcher = indexedMatcher(set);
    const nested = linesOf(NESTED).flatMap((line, index) => {
      const event = JSON.parse(line) as Readable;
      const { sources } = formOf(event, mappings);
      return matcher.match(event, sources).map(({ rule }) => `${index}\t${rule.about.id}`);
    });
    const wanted = linesOf(join(LANES, "expected", "recorded_flat.strict.tsv.gz"));
    expect(wanted.filter((one) => !nested.includes(one))).toEqual([]);
    expect(nested.filter((one) => !wanted.includes(one)).toSorted()).toEqual([
      "75\t460479f3-80b7-42da-9c43-2cc1d54dbccd", // service sysmon: the flat event names a category only
      "91\t8ac03a65-6c84-4116-acad-dc1558ff7a77", // category registry_event: the flat one says registry_set
    ]);
  },
  60_000,
);

const linesOf = (path: string): string[] =>
  gunzipSync(readFileSync(path))
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "");

/** One JSON document after the other. */
const documentsOf = (text: string): Readable[] =>
  text
    .split(/^(?=\{)/m)
    .filter((part) => part.trim() !== "")
    .map((part) => JSON.parse(part) as Readable);

type Nested = { readonly [name: string]: Nested | undefined };

/** As a shipper that knows Sigma's names would send it. */
function flat(event: Readable, source: LogSource): Readable {
  const { System: system, EventData: data, UserData: user } = (event.Event ?? {}) as Nested;
  const { Provider: provider, ...rest } = system ?? {};
  return {
    ...rest,
    Provider_Name: provider?.["#attributes"]?.Name,
    ...(data ?? Object.values(user ?? {})[0]),
    ...source,
  };
}
