// outcome.ts — what must be the same however a run went, and in what two runs differ, in words.
import type { Finding, Incident } from "../core/records.ts";
import { everything, until } from "./house.ts";

const QUIET_MS = 20_000; // nothing has changed for so long: nothing will

export type FoundFinding = Pick<
  Finding,
  "id" | "fingerprint" | "group" | "firstMs" | "lastMs" | "count" | "evidence"
> & { readonly rule: string };
export type FoundIncident = Pick<
  Incident,
  "id" | "key" | "number" | "status" | "severity" | "group" | "count" | "firstMs" | "lastMs"
>;
/** Unsuperseded findings and incidents, by id and content. */
export type Outcome = {
  readonly findings: readonly FoundFinding[];
  readonly incidents: readonly FoundIncident[];
};

export async function outcomeOf(data: string): Promise<Outcome> {
  const findings = await everything<Finding>(data, "/api/findings");
  const superseded = new Set(findings.flatMap(({ supersedes }) => supersedes ?? []));
  const told = findings
    .filter(({ id, withdrawn }) => !superseded.has(id) && !withdrawn)
    .map(({ id, fingerprint, rule, group, firstMs, lastMs, count, evidence }) => ({
      ...{ id, fingerprint, rule: rule.id, group, firstMs, lastMs, count, evidence },
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const incidents = (await everything<Incident>(data, "/api/incidents"))
    .map(({ id, key, number, status, severity, group, count, firstMs, lastMs }) => ({
      ...{ id, key, number, status, severity, group, count, firstMs, lastMs },
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return { findings: told, incidents };
}

/** What was found once it is what is expected; sooner where it cannot come to that any more. */
export async function outcomeLike(data: string, expected: Outcome): Promise<Outcome> {
  let last = "";
  let changedMs = Date.now();
  return until(
    () => outcomeOf(data),
    (found) => {
      const text = JSON.stringify(found);
      if (text !== last) changedMs = Date.now();
      last = text;
      if (Date.now() - changedMs > QUIET_MS) return true;
      return differences(found, expected).length === 0 || hasTooMuch(found, expected);
    },
    120_000,
  );
}

/** A count only grows on its way, and never beyond what it comes to. */
const hasTooMuch = (found: Outcome, expected: Outcome): boolean =>
  (["findings", "incidents"] as const).some((what) => {
    const wanted = new Map(expected[what].map(({ id, count }) => [id, count]));
    return found[what].some(({ id, count }) => count > (wanted.get(id) ?? count));
  });

/** A line for each finding or incident that is missing, too many, or other than expected. */
export function differences(found: Outcome, expected: Outcome): string[] {
  return (["findings", "incidents"] as const).flatMap((what) => {
    const have = new Map(found[what].map((one) => [one.id, one]));
    const want = new Map(expected[what].map((one) => [one.id, one]));
    const lines: string[] = [];
    for (const [id, one] of want) {
      const other = have.get(id);
      if (other === undefined) lines.push(`${what}: missing: ${named(one)}`);
      else lines.push(...changes(other, one).map((text) => `${what}: ${named(one)}: ${text}`));
    }
    for (const [id, one] of have) if (!want.has(id)) lines.push(`${what}: too many: ${named(one)}`);
    return lines;
  });
}

const named = (one: FoundFinding | FoundIncident): string =>
  `${"rule" in one ? `rule ${one.rule}` : one.severity} for ${Object.values(one.group).join(", ")}, ${one.count} events (${one.id})`;

function changes(found: object, wanted: object): string[] {
  const have = new Map(Object.entries(found));
  return Object.entries(wanted).flatMap(([name, value]) => {
    const [is, should] = [have.get(name), value].map((one) => JSON.stringify(one) ?? "nothing");
    if (is === should) return [];
    return Array.isArray(value) // ids: too long to show
      ? [`${name}: other ids than expected`]
      : [`${name} is ${is}, not ${should}`];
  });
}
