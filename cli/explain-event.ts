// explain-event.ts — rules tried on the events of a file, with the reasons: what `wache rules explain --event` prints.
import { readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import { withWindowsFields } from "../collectors/parsers/windows-shippers.ts";
import { UserError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import type { Mappings } from "../core/mappings.ts";
import { formOf } from "../correlator/event-forms.ts";
import {
  type ConditionExplanation,
  type Explanation,
  explainMatch,
  type Part,
  type Why,
} from "../correlator/explain.ts";
import type { Readable } from "../correlator/match/matcher.ts";
import type { DetectionRule } from "../correlator/sigma/rule.ts";
import { unreadable } from "./common.ts";
import { printable } from "./table.ts";
import { type Call, flagOf } from "./verb.ts";

const REFUSED_SHOWN_MAX = 5; // of the alternatives of which none holds

/** One event as JSON, a list of them, or one a line. */
export async function explainEvents(
  rules: readonly DetectionRule[],
  mappings: Mappings,
  { file, call }: { readonly file: string; readonly call: Call },
): Promise<void> {
  const events = await eventsOf(file);
  for (const [number, read] of events.entries()) {
    const event = withWindowsFields(read);
    const { form, sources } = formOf(event, mappings);
    for (const rule of rules) {
      const explained = explainMatch(rule, event, sources);
      if (flagOf(call.values, "json"))
        call.out(JSON.stringify({ event: number, form, sources, ...explained }));
      else
        for (const line of linesOf(explained, events.length > 1 ? number : undefined))
          call.out(printable(line));
    }
  }
}

async function eventsOf(file: string): Promise<readonly Readable[]> {
  const text = await (file === "-" ? textOf(process.stdin) : readFile(file, "utf8")).catch(
    (error: unknown) => {
      throw unreadable(file, error);
    },
  );
  const bare = text.replace(/^\ufeff/, "");
  const whole = parsed(bare);
  const found =
    whole === undefined
      ? bare
          .split("\n")
          .filter((line) => line.trim() !== "")
          .map(parsed)
      : [whole].flat();
  const events = found.filter(isObject);
  if (events.length > 0 && events.length === found.length) return events;
  throw new UserError(
    "cli.file-unreadable",
    `${file} holds no event: write one JSON object, a list of them, or one a line`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function* linesOf(explained: Explanation, number: number | undefined): Generator<string> {
  const { title, at, matches, filters, looksAt } = explained;
  const which = number === undefined ? "" : `event ${number}: `;
  yield `${which}${title} (${at}): ${matches ? "matches" : "does not match"}`;
  if (!looksAt) yield "  ✗ the event belongs to no log source that the rule looks at";
  yield* conditionLines(explained, "condition", "  ");
  for (const filter of filters) {
    const outcome = filter.suppresses ? "suppresses the event" : "does not suppress the event";
    yield `  filter ${filter.title} (${filter.at}): ${outcome}`;
    yield* conditionLines(filter, "lets pass", "    ");
  }
  yield "";
}

function* conditionLines(
  { condition, selections }: ConditionExplanation,
  word: string,
  indent: string,
): Generator<string> {
  yield `${indent}${markOf(condition)} ${word}: ${partWords(condition)}`;
  for (const { name, why } of selections) {
    yield `${indent}${markOf(why)} ${name}`;
    yield* whyLines(why, `${indent}    `);
  }
}

/** `✓ a and ✗ not ✓ f`: what each part gives stands before it. */
function partWords(part: Part): string {
  switch (part.kind) {
    case "selection":
      return part.name;
    case "not":
      return `not ${part.of.map(markedWords).join("")}`;
    case "all":
      return part.of.map(markedWords).join(" and ");
    case "any":
      return part.of.map(markedWords).join(" or ");
  }
}

const markedWords = (part: Part): string =>
  `${markOf(part)} ${part.kind === "all" || part.kind === "any" ? `(${partWords(part)})` : partWords(part)}`;

const markOf = ({ holds }: { readonly holds: boolean }): string => (holds ? "✓" : "✗");

function* whyLines(why: Why, indent: string): Generator<string> {
  if (why.kind === "test") {
    yield `${indent}${markOf(why)} ${why.field ?? "any text"} ${why.test}: ${metOf(why)}`;
    return;
  }
  if (why.kind === "all") {
    for (const one of why.of) yield* whyLines(one, indent);
    return;
  }
  if (why.kind === "not") {
    yield `${indent}${markOf(why)} not:`;
    for (const one of why.of) yield* whyLines(one, `${indent}  `);
    return;
  }
  const shown = why.holds
    ? why.of.filter(({ holds }) => holds)
    : why.of.slice(0, REFUSED_SHOWN_MAX);
  yield `${indent}${markOf(why)} ${why.holds ? `${shown.length} of ${why.of.length}` : `none of ${why.of.length}`}:`;
  for (const one of shown) yield* whyLines(one, `${indent}  `);
  if (!why.holds && why.of.length > shown.length)
    yield `${indent}  … ${why.of.length - shown.length} more`;
}

function metOf(why: Why & { readonly kind: "test" }): string {
  if (why.field === null) return why.value === undefined ? "in none" : JSON.stringify(why.value);
  return why.path === undefined ? "is missing" : `${JSON.stringify(why.value)} at ${why.path}`;
}
