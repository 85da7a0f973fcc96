// told.ts — what came of a run: findings and incidents, stored events, pages; and in what two runs differ.
import type { EcsEvent } from "../../core/event.ts";
import type { Incident } from "../../core/records.ts";
import { everything, until } from "../house.ts";
import { differences, type Outcome, outcomeLike, outcomeOf } from "../outcome.ts";
import type { WebhookStandIn } from "../servers/webhook.ts";
import { type Delivery, type Episode, isExact, scoreOf } from "../trust/truth.ts";

const PATIENCE_MS = 120_000;
const POLL_MS = 500;
const SHOWN_MAX = 3;

export type Told = {
  readonly outcome: Outcome;
  readonly events: readonly string[]; // of each its id, its time, and how that was judged
  readonly pages: readonly string[]; // the incidents that somebody was paged for
  readonly repeats: number; // pages sent again that did not say so
};

export type Comparison = {
  readonly stored: number;
  readonly expected: number; // findings
  readonly found: number;
  readonly doubled: number; // findings, incidents, events and pages that are too many
  readonly pagesExpected: number;
  readonly pages: number;
  readonly faults: readonly string[]; // in words; none where all is the same
};

/** Once it is what another run told, or what a delivery must lead to; else what there is when patience ends. */
export async function toldBy(
  data: string,
  hook: WebhookStandIn,
  wanted: Told | Delivery,
): Promise<Told> {
  const outcome =
    "outcome" in wanted
      ? await outcomeLike(data, wanted.outcome)
      : await until(() => outcomeOf(data), isWhole(wanted), PATIENCE_MS, POLL_MS);
  if (outcome instanceof Error) throw outcome;
  const lines = "outcome" in wanted ? wanted.events.length : wanted.lines;
  const events = await until(
    async () => (await everything<EcsEvent>(data, "/api/events")).map(eventText).sort(),
    (found) => found.length >= lines,
    PATIENCE_MS,
    POLL_MS,
  );
  if (events instanceof Error) throw events;
  const paged = async () =>
    [...hook.taken.values()].map(({ json }) => (json["incident"] as Incident).id).sort();
  const { length } = outcome.incidents;
  const pages = await until(paged, (all) => all.length >= length, PATIENCE_MS, POLL_MS);
  return { outcome, events, pages, repeats: unmarkedRepeats(hook) };
}

const isWhole =
  ({ truth }: Delivery) =>
  ({ findings, incidents }: Outcome): boolean =>
    isExact(scoreOf(episodesOf(findings), truth)) && countOf(incidents) >= countOf(truth);

const episodesOf = (findings: Outcome["findings"]): Episode[] =>
  findings.map(({ group, firstMs, lastMs, count }) => ({
    ...{ user: group["User"] ?? "", firstMs, lastMs, count },
  }));

const countOf = (all: readonly { readonly count: number }[]): number =>
  all.reduce((sum, { count }) => sum + count, 0);

const eventText = (event: EcsEvent): string =>
  [
    event.event.id,
    event["@timestamp"],
    ...(event.wache.late === true ? ["late"] : []),
    ...(event.wache.implausible === true ? ["implausible"] : []),
  ].join(" ");

function unmarkedRepeats(hook: WebhookStandIn): number {
  const seen = new Set<unknown>();
  return hook.requests.filter(({ json }) => {
    const again = seen.has(json["id"]);
    seen.add(json["id"]);
    return again && json["mayBeRepeat"] !== true;
  }).length;
}

/** What is wrong with a run that nothing disturbed: others are held against it. */
export function faultsOf({ outcome, events, pages, repeats }: Told, delivery: Delivery): string[] {
  const { findings, incidents } = outcome;
  const score = scoreOf(episodesOf(findings), delivery.truth);
  const users = new Set(delivery.truth.map(({ user }) => user)).size;
  return [
    ...(isExact(score) ? [] : [`findings are not the truth: ${JSON.stringify(score)}`]),
    ...(incidents.length === users ? [] : [`${incidents.length} incidents, not ${users}`]),
    ...(events.length === delivery.lines ? [] : [`${events.length} events of ${delivery.lines}`]),
    ...(pages.length === users && repeats === 0 ? [] : [`${pages.length} pages, not ${users}`]),
    ...events.filter((text) => text.split(" ").length > 2).slice(0, SHOWN_MAX),
  ];
}

/** A run against the undisturbed one. */
export function compared(told: Told, expected: Told): Comparison {
  const [events, pages] = [
    difference(told.events, expected.events, "event"),
    difference(told.pages, expected.pages, "page for"),
  ];
  const outcome = differences(told.outcome, expected.outcome);
  const surplus = (["findings", "incidents"] as const).map(
    (what) => told.outcome[what].length - expected.outcome[what].length,
  );
  const ids = difference(told.events.map(idIn), expected.events.map(idIn), "event");
  const doubled = [...surplus, ids.surplus, pages.surplus, told.repeats];
  return {
    stored: told.events.length,
    expected: expected.outcome.findings.length,
    found: told.outcome.findings.length,
    doubled: doubled.reduce((sum, one) => sum + Math.max(0, one), 0),
    pagesExpected: expected.pages.length,
    pages: told.pages.length,
    faults: [
      ...outcome,
      ...events.lines,
      ...pages.lines,
      ...(told.repeats === 0 ? [] : [`${told.repeats} pages repeated without saying so`]),
    ],
  };
}

const idIn = (event: string): string => event.split(" ")[0] ?? "";

/** Of two multisets. */
function difference(
  found: readonly string[],
  wanted: readonly string[],
  what: string,
): { readonly surplus: number; readonly lines: readonly string[] } {
  const left = new Map<string, number>();
  for (const one of wanted) left.set(one, (left.get(one) ?? 0) + 1);
  const tooMany = found.filter((one) => {
    const count = left.get(one) ?? 0;
    if (count > 0) left.set(one, count - 1);
    return count === 0;
  });
  const missing = [...left].filter(([, count]) => count > 0).map(([one]) => one);
  return {
    surplus: tooMany.length,
    lines: [
      ...missing.map((one) => `missing: ${what} ${one}`),
      ...tooMany.map((one) => `too many: ${what} ${one}`),
    ],
  };
}
