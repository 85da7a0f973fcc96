// Events of each source family, from the line that arrives to the rules in Sigma's names that it satisfies.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { EcsEvent, LogSource } from "../core/event.ts";
import { loadMappings, shippedMappings } from "../core/mappings.ts";
import { formOf } from "../correlator/event-forms.ts";
import { indexedMatcher } from "../correlator/match/indexed.ts";
import type { Readable } from "../correlator/match/matcher.ts";
import { readRules } from "../correlator/sigma/load.ts";
import { stampedLine } from "./stamped.ts";

type Family = {
  readonly name: string;
  readonly event?: Readable;
  readonly line?: string;
  readonly sources: readonly string[];
  readonly rule: Readable;
};
const families = ["mapped-events.yml", "mapped-services.yml"].flatMap((name) => {
  const file = join(import.meta.dirname, "fixtures", name);
  return parse(readFileSync(file, "utf8")) as readonly Family[];
});
const mappings = await loadMappings([shippedMappings()]);

const rules = [...new Map(families.map(({ rule }) => [JSON.stringify(rule), rule])).values()];
const titleOf = (rule: Readable): string =>
  `rule ${rules.findIndex((one) => JSON.stringify(one) === JSON.stringify(rule))}`;
const { set, problems } = readRules(
  rules.map((rule, n) => ({
    path: `${n}.yml`,
    text: stringify(
      { title: titleOf(rule), level: "low", ...rule },
      { aliasDuplicateObjects: false },
    ),
    lenient: false,
  })),
  { mapField: mappings.field },
);
if (!set) throw new Error(problems.map(({ at, message }) => `${at}: ${message}`).join("\n"));
const matcher = indexedMatcher(set);

const stamped = ({ event, line }: Family): EcsEvent =>
  stampedLine(line ?? JSON.stringify(event), mappings);

const shortOf = ({ product, category, service }: LogSource): string =>
  [product, category, service].map((word) => word ?? "-").join("/");
const own = new Set(["product", "category", "service"]);
const saysSources = (event: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(event).some(([key, value]) => own.has(key) && typeof value === "string");

test.for(families)("$name: its log sources, and the rules that find it", (family) => {
  const event = stamped(family);
  const { form, sources } = formOf(event, mappings);
  expect(form).toBe("wache");
  // What the event itself calls its category (Azure's word for another thing) is a source as well.
  const words = Object.entries(family.event ?? {}).filter(([key]) => own.has(key));
  const said = words.some(([, word]) => typeof word === "string");
  expect(sources.slice(said ? 1 : 0).map(shortOf)).toEqual(family.sources);
  const titles = matcher.match(event, sources).map(({ rule }) => rule.about.title);
  expect(titles).toEqual([titleOf(family.rule)]);
});

test.for(families.filter(({ event }) => event?.Event !== undefined))(
  "$name: the same as it came, without having been stamped",
  ({ event = {}, sources, rule }) => {
    const seen = formOf(event, mappings);
    expect(seen.form).toBe("evtx");
    expect(seen.sources.map(shortOf)).toEqual(sources);
    const titles = matcher.match(event, seen.sources).map((match) => match.rule.about.title);
    expect(titles).toEqual([titleOf(rule)]);
  },
);

test.for(families.filter(({ event }) => event !== undefined && event.Event === undefined))(
  "$name: flat, as it came, it belongs to what live finds",
  ({ event = {}, sources, rule }) => {
    const seen = formOf(event, mappings);
    expect(seen.form).toBe("flat");
    const said = saysSources(event);
    expect(seen.sources.slice(said ? 1 : 0).map(shortOf)).toEqual(sources);
    const titles = matcher.match(event, seen.sources).map((match) => match.rule.about.title);
    expect(titles).toEqual([titleOf(rule)]);
  },
);

const windows4688 = { Channel: "Security", EventID: 4688 };
const creation = { product: "windows", category: "process_creation", service: "security" };
const security = { product: "windows", service: "security" };
test.for([
  {
    says: "a product with a category: that, and nothing else",
    event: { product: "windows", category: "registry_set", ...windows4688 },
    sources: [{ product: "windows", category: "registry_set" }],
  },
  {
    says: "a product with a service: that, and nothing else",
    event: { product: "windows", service: "sysmon", ...windows4688 },
    sources: [{ product: "windows", service: "sysmon" }],
  },
  {
    says: "a product alone: that, and what its fields say",
    event: { product: "windows", ...windows4688 },
    sources: [{ product: "windows" }, security, creation],
  },
  {
    says: "a category that is a word of another thing",
    event: { category: "Logon", ...windows4688 },
    sources: [{ category: "Logon" }, security, creation],
  },
  {
    says: "a service of which no mapping knows anything",
    event: { service: "billing" },
    sources: [{ service: "billing" }],
  },
])("a flat event that says $says", ({ event, sources }) => {
  const found = formOf(event, mappings);
  expect(found).toEqual({ form: "flat", sources });
  expect(formOf(event, mappings), "known from then on").toBe(found);
});
