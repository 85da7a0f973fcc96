// narrow.ts — what a full-text index can say of a query: which events or chunks of events may hold an answer.
//
// Holds: never leaves out what holds a matching event; `query-match.ts` decides about each event.
import { lowered, SIGMA, SIGMAS } from "../letter-case.ts";
import {
  addressOf,
  eachLeaf,
  fold,
  isText,
  networkOf,
  type Scalar,
  VALUE_CHARS_MAX,
} from "./leaves.ts";
import { literalOf, type Pattern, type Query } from "./query.ts";
import { isWordText, tokensOf } from "./tokens.ts";

// Terms that no token can be, made of characters that FTS5's ascii tokenizer takes as letters.
const SIX = "¤six"; // the chunk has an IPv6 address somewhere
const LATE = "¤late"; // the chunk has an event that came too late: they are looked for again and again, and are few
const LATE_FIELD = "wache.late";
const JOIN = "·"; // three numbers side by side are a term, so that an IPv4 address is found by itself
const SIGMAS_MAX = 3; // of a term that are looked for in both forms; it is cut before the next one
const SHORT_NUMBER = /^\d{1,5}$/;

/** Adds an event's terms. `seen` holds the values that the chunk had already. */
export function addTerms(event: unknown, terms: Set<string>, seen: Set<string>): void {
  eachLeaf(event, (path, value) => {
    if (path === LATE_FIELD && isTrue(value)) terms.add(LATE);
    if (!isText(path)) return;
    const text = String(value);
    if (seen.has(text)) return;
    seen.add(text);
    addTokens(tokensOf(text), terms);
    if (text.length > VALUE_CHARS_MAX) addTokens(tokensOf(fold(text)), terms);
    else if (text.includes(":") && addressOf(text) !== undefined) terms.add(SIX);
  });
}

const isTrue = (value: Scalar): boolean => fold(value) === "true";

function addTokens(tokens: readonly string[], terms: Set<string>): void {
  for (const token of tokens) terms.add(token);
  for (const triple of triplesOf(tokens)) terms.add(triple);
}

function triplesOf(tokens: readonly string[]): string[] {
  const triples: string[] = [];
  let run = 0;
  for (let at = 0; at < tokens.length; at++) {
    run = SHORT_NUMBER.test(tokens[at] ?? "") ? run + 1 : 0;
    if (run >= 3) triples.push(tokens.slice(at - 2, at + 1).join(JOIN));
  }
  return triples;
}

/** Terms that every match has, whatever index they are looked up in. */
export type Terms =
  | { readonly kind: "and" | "or"; readonly parts: readonly Terms[] }
  | { readonly kind: "term" | "prefix"; readonly text: string };

/** The terms that what may match has; undefined where nothing can be said. */
export function narrow(query: Query): Terms | undefined {
  switch (query.kind) {
    case "and": {
      const parts = query.parts.map(narrow).filter((part) => part !== undefined);
      return parts.length === 0 ? undefined : { kind: "and", parts };
    }
    case "or": {
      const parts = query.parts.map(narrow).filter((part) => part !== undefined);
      return parts.length < query.parts.length ? undefined : { kind: "or", parts };
    }
    case "words":
      return conjunction([...wordTerms(query.tokens)]);
    case "value":
      if (query.field === LATE_FIELD && isTrue(query.text)) return whole(LATE);
      return isText(query.field) ? narrowValue(query.text) : undefined;
    case "pattern":
      return isText(query.field) ? conjunction(patternTerms(query.pattern)) : undefined;
    case "network":
      return isText(query.field) ? narrowNetwork(query.cidr) : undefined;
    case "all":
    case "not":
    case "exists":
    case "range":
      return undefined;
  }
}

function narrowValue(text: string): Terms | undefined {
  if (text.length >= VALUE_CHARS_MAX) return undefined;
  const tokens = tokensOf(text);
  const plain = conjunction([...tokens, ...triplesOf(tokens)].map(whole));
  const address = addressOf(text);
  if (address === undefined) return plain;
  // Written as IPv6, it may also be an IPv4 address, which has other tokens.
  if (text.includes(":")) return undefined;
  return plain && { kind: "or", parts: [plain, whole(SIX)] };
}

function narrowNetwork(cidr: string): Terms | undefined {
  const [address = "", bits = "0"] = cidr.split("/");
  if (networkOf(cidr) === undefined) return undefined;
  if (address.includes(":")) return undefined;
  const tokens = address
    .split(".")
    .slice(0, Math.floor(Number(bits) / 8))
    .map((part) => String(Number(part)));
  const plain = conjunction([...tokens, ...triplesOf(tokens)].map(whole));
  return plain && { kind: "or", parts: [plain, whole(SIX)] };
}

function wordTerms(tokens: readonly Pattern[]): Terms[] {
  const literals = tokens.map((token) => literalOf(token) ?? "");
  const terms = triplesOf(literals).map(whole);
  for (const [index, token] of tokens.entries()) {
    const literal = literals[index] ?? "";
    const [first] = token;
    if (literal !== "") terms.push(whole(literal));
    else if (first?.kind === "literal") terms.push(beginning(first.text));
  }
  return terms;
}

/** The tokens that every value of the pattern has: those with an end of the text or no letter on both sides. */
function patternTerms(pattern: Pattern): Terms[] {
  const terms: Terms[] = [];
  for (const [index, part] of pattern.entries()) {
    if (part.kind !== "literal") continue;
    const lower = lowered(part.text);
    const runs = lower.split(/([^\p{L}\p{M}\p{N}]+)/u).filter((run) => run !== "");
    for (const [at, run] of runs.entries()) {
      if (!isWordText(run)) continue;
      const openLeft = at === 0 && index > 0;
      const openRight = at === runs.length - 1 && index < pattern.length - 1;
      const tokens = tokensOf(run);
      if (openLeft || tokens.length !== 1) continue;
      terms.push(openRight ? beginning(run) : whole(run));
    }
  }
  return terms;
}

const whole = (text: string): Terms => anyForm("term", text);
const beginning = (text: string): Terms => anyForm("prefix", text);

/** What was indexed before letters were lowered each by itself has a sigma in either form. */
function anyForm(kind: "term" | "prefix", text: string): Terms {
  const [first = "", ...rest] = text.split(SIGMA);
  if (rest.length === 0) return { kind, text };
  let forms = [first];
  for (const piece of rest.slice(0, SIGMAS_MAX))
    forms = forms.flatMap((form) => SIGMAS.map((sigma) => form + sigma + piece));
  const here = rest.length > SIGMAS_MAX ? "prefix" : kind;
  return { kind: "or", parts: forms.map((form) => ({ kind: here, text: form })) };
}

const conjunction = (parts: readonly Terms[]): Terms | undefined =>
  parts.length === 0 ? undefined : { kind: "and", parts };

/** Terms as FTS5 writes them. */
export function ftsOf(terms: Terms): string {
  switch (terms.kind) {
    case "term":
      return `"${terms.text}"`;
    case "prefix":
      return `"${terms.text}"*`;
    case "and":
      return `(${terms.parts.map(ftsOf).join(" AND ")})`;
    case "or":
      return `(${terms.parts.map(ftsOf).join(" OR ")})`;
  }
}

/** Words in plain ASCII that the JSON of every match contains in lower case, unless it escapes characters by number. */
export function requiredWords(query: Query): string[] {
  switch (query.kind) {
    case "and":
      return query.parts.flatMap(requiredWords);
    case "words":
      return query.tokens.flatMap((token) => asciiWords(literalOf(token) ?? ""));
    case "value":
      if (addressOf(query.text) !== undefined || query.text.length >= VALUE_CHARS_MAX) return [];
      return asciiWords(query.text);
    default:
      return [];
  }
}

const asciiWords = (text: string): string[] =>
  /^[\x20-\x7e]*$/.test(text) ? (text.toLowerCase().match(/[a-z0-9]+/g) ?? []) : [];
