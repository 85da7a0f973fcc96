// Sigma's own material, where it lies beside the checkout: what the specification shows is accepted or refused as it says,
// and all public rules with recorded events go through both matchers.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { shippedMappings } from "../core/mappings.ts";
import { formOf } from "../correlator/event-forms.ts";
import { indexedMatcher } from "../correlator/match/indexed.ts";
import type { Match, Readable } from "../correlator/match/matcher.ts";
import { plainMatcher } from "../correlator/match/plain.ts";
import { ruleDisk } from "../correlator/sigma/disk.ts";
import { loadRules, readRules } from "../correlator/sigma/load.ts";
import type { LoadedRules } from "../correlator/sigma/rule.ts";

const DATA = "../shared/data";
const absent = !existsSync(`${DATA}/sigma/specification`);
const why = `${DATA} does not lie beside this checkout`;

/** The text with a rule for each that it refers to, so that no reference dangles. */
function load(path: string, text: string): LoadedRules {
  const listed = /\n {4}rules: *\n((?: {8}- .*\n)+)/.exec(`${text}\n`)?.[1] ?? "";
  const logsource = /^logsource:\n(?: +.*\n)+/m.exec(text)?.[0] ?? "logsource: {}\n";
  const targets = [...listed.matchAll(/- ([^\s#]+)/g)].map(([, target]) => target);
  const files = targets.map((target) => ({
    path: `${target}.yml`,
    text: `title: ${target}\nname: ${target}\n${logsource}detection: { s: { f: 1 }, condition: s }\n`,
    lenient: false,
  }));
  return readRules([{ path, text, lenient: false }, ...files], {});
}

test("the schema tests of the specification are accepted", ({ skip }) => {
  skip(absent, why);
  const folder = `${DATA}/sigma/specification/tests/schema`;
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".yml"),
  );
  const found = paths.map((path) => {
    const text = readFileSync(join(folder, path), "utf8");
    return [path, load(path, text).problems.map(({ code }) => code)];
  });
  expect(paths.length).toBeGreaterThan(10);
  expect(found).toEqual(paths.map((path) => [path, []]));
});

test("the examples of the specification are accepted, its invalid one is refused", ({ skip }) => {
  skip(absent, why);
  const folder = `${DATA}/sigma/specification/specification`;
  const refused: unknown[] = [];
  let accepted = 0;
  for (const name of ["sigma-rules-specification.md", "sigma-filters-specification.md"]) {
    const page = readFileSync(join(folder, name), "utf8");
    for (const [, block = ""] of page.matchAll(/```ya?ml\n([\s\S]*?)```/g)) {
      if (!/^(detection|filter):/m.test(block) || !/condition:/.test(block)) continue; // a fragment
      const head = /^title:/m.test(block) ? "" : "title: T\n";
      const source = /^logsource:/m.test(block) ? "" : "logsource: { product: p }\n";
      const { problems } = load(name, head + source + block);
      if (problems.length === 0) accepted += 1;
      else refused.push(problems.map(({ code }) => code));
    }
  }
  expect([accepted, refused]).toEqual([9, [["rule.null-in-list"]]]);
});

test("docs/sigma.md names tests that there are", () => {
  const page = readFileSync("docs/sigma.md", "utf8").replaceAll("\\|", "|");
  const folder = "correlator/sigma";
  const named = page.matchAll(
    /(detections|refusals|documents|bad-input|correlations|specification(?:-correlations)?): ((?:`[^`]+`(?:, )?)+)/g,
  );
  const missing: string[] = [];
  let count = 0;
  for (const [, file = "", names = ""] of named) {
    const path = file.startsWith("specification") ? `test/${file}` : `${folder}/${file}`;
    const tests = readFileSync(`${path}.test.ts`, "utf8");
    for (const [, name = ""] of names.matchAll(/`([^`]+)`/g)) {
      count += 1;
      if (!tests.includes(`"${name}`)) missing.push(`${file}: ${name}`);
    }
  }
  expect(missing).toEqual([]);
  expect(count).toBeGreaterThan(60);
});

const lane = (name: string): readonly string[] =>
  gunzipSync(readFileSync(`${DATA}/lanes/${name}.gz`))
    .toString()
    .trimEnd()
    .split("\n");
const told = (matches: readonly Match[]): unknown[] =>
  matches.map(({ rule, selections }) => [rule.about.id, selections]);

test("all public rules load, and both matchers find the same in recorded events, which is what the peer finds", async ({
  skip,
}) => {
  skip(absent, why);
  const rules = [{ path: `${DATA}/sigma/rules`, lenient: true }];
  const reading = { mappings: [shippedMappings()] };
  const { set, leftOut, mappings } = await loadRules(rules, ruleDisk, reading);
  expect(leftOut).toEqual([]);
  if (set === undefined || mappings === undefined) throw new Error("no set");
  const plain = plainMatcher(set);
  const indexed = indexedMatcher(set);
  // Every log source at once: each event meets each rule.
  const sources = set.detections.map(({ logsource }) => logsource);
  const wide = [...new Map(sources.map((one) => [JSON.stringify(one), one])).values()];
  const found: string[] = [];
  lane("recorded_flat.ndjson").forEach((line, number) => {
    const event = JSON.parse(line) as Readable;
    const { sources: own } = formOf(event, mappings);
    const matches = plain.match(event, own);
    expect(told(indexed.match(event, own))).toEqual(told(matches));
    for (const { rule } of matches) found.push(`${number}\t${rule.about.id}`);
    expect(told(indexed.match(event, wide))).toEqual(told(plain.match(event, wide)));
  });
  expect(found.toSorted()).toEqual([...lane("expected/recorded_flat.strict.tsv")].sort());
}, 60_000);
