// values.ts — turns the values beside a field into predicates, as the field's modifiers ask.
//
// In:    a plan of modifiers and one value or a list.
// Out:   one expression: values linked by `or` (by `and` under `all`), negated under `neq`; or problems.
// Holds: one value unfolds to at most `variantsMax` predicates.
import type { ReadingContext } from "./detection.ts";
import { base64, base64Offsets, dashVariants, latin1, utf8, utf16 } from "./encodings.ts";
import { heldInstead } from "./held-values.ts";
import type { Encoder, Plan } from "./modifiers.ts";
import { networkOf } from "./network.ts";
import { compileRegex } from "./regex.ts";
import type { EventField, Expression, Place, Predicate, TimePart, Token } from "./rule.ts";
import { hasWildcard, placed, plainText, shapeOf, textTokens, tokensOf } from "./text.ts";
import { isBeyondNumbers, type Node, nameOfKind, type ScalarNode } from "./yaml.ts";

const variantsMax = 3125;

export type Item = {
  readonly plan: Plan;
  readonly field: EventField | null;
  readonly name: string; // as the rule writes it
  readonly value: Node;
};

export function itemExpression(item: Item, context: ReadingContext): Expression | undefined {
  const { plan, value } = item;
  const { source } = context;
  const nodes = value.kind === "list" ? value.items : [value];
  if (nodes.length === 0) {
    source.problem(
      "rule.value-empty",
      value.offset,
      `${item.name} has an empty list; give a value`,
    );
    return undefined;
  }
  if (plan.all && nodes.length < 2) {
    source.problem(
      "rule.all-single",
      value.offset,
      `${item.name} has one value; all links two or more: drop it or add a value`,
    );
    return undefined;
  }
  const linked: Expression[] = [];
  for (const node of nodes) {
    const expression = valueExpression(node, item, context);
    if (expression === undefined) return undefined;
    linked.push(expression);
  }
  const [only] = linked;
  const whole: Expression =
    linked.length === 1 && only !== undefined
      ? only
      : { kind: plan.all ? "and" : "or", of: linked };
  return plan.neq ? { kind: "not", of: whole } : whole;
}

function valueExpression(node: Node, item: Item, context: ReadingContext): Expression | undefined {
  const refuse = (message: string, code = "rule.value") => {
    context.source.problem(code, node.offset, message);
    return undefined;
  };
  if (node.kind !== "scalar")
    return refuse(
      `${item.name} has ${nameOfKind(node)} as a value; a value is text, a number, a boolean or null`,
    );
  const predicates = predicatesOf(node, item, context, refuse);
  if (predicates === undefined) return undefined;
  const all = [...predicates, ...heldInstead(item, node)];
  const of = all.map((predicate): Expression => ({ kind: "predicate", predicate }));
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { kind: "or", of };
}

type Refuse = (message: string, code?: string) => undefined;

function predicatesOf(
  node: ScalarNode,
  item: Item,
  context: ReadingContext,
  refuse: Refuse,
): Predicate[] | undefined {
  const { plan, field } = item;
  if (node.value === null) return nullPredicate(item, refuse);
  switch (plan.type) {
    case "text":
      return textPredicates(node, item, context, refuse);
    case "regex":
      return regexPredicate(node, item, context, refuse);
    case "cidr":
      return field === null ? undefined : cidrPredicates(node, field, plan, context, refuse);
    case "compare":
      return field === null ? undefined : comparePredicate(node, field, plan, refuse);
    case "exists": {
      if (field === null) return undefined;
      if (typeof node.value !== "boolean" || item.value.kind === "list")
        return refuse(`exists takes true or false; found ${nameOfKind(item.value)}`);
      return [{ kind: "exists", field }];
    }
    case "fieldref": {
      if (field === null) return undefined;
      if (typeof node.value !== "string" || node.value === "")
        return refuse(`fieldref takes the name of a field; found ${nameOfKind(node)}`);
      const other = context.mapField(node.value);
      return [{ kind: "fieldref", field, other, place: plan.place, cased: plan.cased }];
    }
  }
}

function nullPredicate(item: Item, refuse: Refuse): Predicate[] | undefined {
  const { plan, field } = item;
  if (field === null) return refuse("a keyword is null; give text");
  if (item.value.kind === "list")
    return refuse(
      `${item.name} has null in a list of values; give null a selection of its own`,
      "rule.null-in-list",
    );
  if (plan.type !== "text" || plan.place !== "whole" || plan.encoders.length > 0 || plan.cased)
    return refuse(`${item.name} is null, which goes with no modifier but neq`);
  return [{ kind: "null", field }];
}

function textPredicates(
  node: ScalarNode,
  item: Item,
  context: ReadingContext,
  refuse: Refuse,
): Predicate[] | undefined {
  const { plan, field } = item;
  const plain = plan.place === "whole" && plan.encoders.length === 0;
  if (field !== null && plain && !plan.cased) {
    if (typeof node.value === "number") return [{ kind: "number", field, value: node.value }];
    if (typeof node.value === "boolean") return [{ kind: "boolean", field, value: node.value }];
  }
  const text = typeof node.value === "string" ? node.value : node.source;
  const drafts = draftsOf(text, plan.encoders, context, refuse);
  const place = field === null && plan.place === "whole" ? "within" : plan.place;
  return drafts?.map((tokens): Predicate => {
    const shape = shapeOf(placed(tokens, place), plan.cased);
    return { ...shape, field, cased: plan.cased };
  });
}

type Draft = { readonly tokens: readonly Token[] } | { readonly bytes: Uint8Array };

function draftsOf(
  text: string,
  encoders: readonly Encoder[],
  context: ReadingContext,
  refuse: Refuse,
): (readonly Token[])[] | undefined {
  const expanded = encoders.includes("expand")
    ? expandedTokens(text, context, refuse)
    : [tokensOf(text)];
  let drafts: readonly Draft[] | undefined = expanded?.map((tokens) => ({ tokens }));
  for (const encoder of encoders) {
    if (encoder === "expand" || drafts === undefined) continue;
    drafts = encodeAll(drafts, encoder, refuse);
  }
  if (drafts !== undefined && drafts.length > variantsMax)
    return refuse(
      `the value unfolds to ${drafts.length} texts; the most is ${variantsMax}; write a shorter one`,
      "rule.value-too-many",
    );
  return drafts?.map((draft) =>
    "tokens" in draft ? draft.tokens : textTokens(latin1(draft.bytes)),
  );
}

function encodeAll(
  drafts: readonly Draft[],
  encoder: Exclude<Encoder, "expand">,
  refuse: Refuse,
): Draft[] | undefined {
  const out: Draft[] = [];
  for (const draft of drafts) {
    if (encoder === "windash") {
      const variants = "tokens" in draft ? windashed(draft.tokens) : undefined;
      if (variants === undefined || out.length + variants.length > variantsMax)
        return refuse(
          `windash unfolds the value to more than ${variantsMax} texts; split the value`,
          "rule.value-too-many",
        );
      for (const tokens of variants) out.push({ tokens });
      continue;
    }
    if ("tokens" in draft && hasWildcard(draft.tokens) && isUtf16(encoder)) {
      out.push({ tokens: utf16Tokens(draft.tokens, utf16Order[encoder]) });
      continue;
    }
    if ("tokens" in draft && hasWildcard(draft.tokens))
      return refuse(`${encoder} cannot encode a wildcard; escape * and ? with a backslash`);
    const bytes = "bytes" in draft ? draft.bytes : undefined;
    const plain = "tokens" in draft ? plainText(draft.tokens) : latin1(draft.bytes);
    if (encoder === "base64") out.push({ tokens: textTokens(base64(bytes ?? utf8(plain))) });
    else if (encoder === "base64offset")
      for (const shifted of base64Offsets(bytes ?? utf8(plain)))
        out.push({ tokens: textTokens(shifted) });
    else out.push({ bytes: utf16(plain, utf16Order[encoder]) });
  }
  return out;
}

const utf16Order = { utf16: "bom", utf16le: "le", utf16be: "be" } as const;
const isUtf16 = (encoder: Encoder): encoder is keyof typeof utf16Order => encoder in utf16Order;

/** Wildcards stay; a character is two bytes, and so two characters of what is looked for. */
function utf16Tokens(tokens: readonly Token[], order: "le" | "be" | "bom"): Token[] {
  const out = tokens.flatMap((token): readonly Token[] => {
    if (token.kind === "text")
      return textTokens(latin1(utf16(token.text, order === "be" ? "be" : "le")));
    return token.kind === "one" ? [token, token] : [token];
  });
  return order === "bom" ? [{ kind: "text", text: "\u00ff\u00fe" }, ...out] : out;
}

function windashed(tokens: readonly Token[]): Token[][] | undefined {
  let out: Token[][] = [[]];
  for (const token of tokens) {
    const variants =
      token.kind === "text"
        ? dashVariants(token.text, variantsMax)?.map((text): Token => ({ kind: "text", text }))
        : [token];
    if (variants === undefined || out.length * variants.length > variantsMax) return undefined;
    out = out.flatMap((head) => variants.map((variant) => [...head, variant]));
  }
  return out;
}

/** The text cut at its placeholders: `%name%`, where no backslash stands before the percent sign. */
function placeholderPieces(
  text: string,
): readonly { readonly name?: string; readonly text: string }[] {
  const pieces: { name?: string; text: string }[] = [];
  let plain = "";
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === "\\" && (text[i + 1] === "%" || text[i + 1] === "\\")) {
      plain += text[i + 1] === "%" ? "%" : "\\\\";
      i += 1;
      continue;
    }
    const name = text[i] === "%" ? /^%([^%\s]+)%/.exec(text.slice(i, i + 258))?.[1] : undefined;
    if (name === undefined) {
      plain += text[i];
      continue;
    }
    pieces.push({ text: plain }, { name, text: "" });
    plain = "";
    i += name.length + 1;
  }
  pieces.push({ text: plain });
  return pieces;
}

function expandedTokens(
  text: string,
  context: ReadingContext,
  refuse: Refuse,
): Token[][] | undefined {
  let out: Token[][] = [[]];
  for (const piece of placeholderPieces(text)) {
    const values = piece.name === undefined ? [piece.text] : context.placeholders.get(piece.name);
    if (values === undefined || values.length === 0)
      return refuse(placeholderMessage(piece.name, context), "rule.placeholder-unknown");
    if (out.length * values.length > variantsMax)
      return refuse(
        `the placeholders unfold to more than ${variantsMax} texts; use fewer in one value`,
        "rule.value-too-many",
      );
    const tails = values.map(tokensOf);
    out = out.flatMap((head) => tails.map((tail) => joinedTokens(head, tail)));
  }
  return out;
}

/** Texts that meet are one text: a dash before a placeholder begins the word that stands for it. */
function joinedTokens(head: readonly Token[], tail: readonly Token[]): Token[] {
  const [last, first] = [head.at(-1), tail[0]];
  return last?.kind === "text" && first?.kind === "text"
    ? [...head.slice(0, -1), { kind: "text", text: last.text + first.text }, ...tail.slice(1)]
    : [...head, ...tail];
}

const placeholderMessage = (name: string | undefined, context: ReadingContext): string =>
  `the placeholder %${name}% has no values; ` +
  (context.placeholders.size === 0
    ? "no placeholder is configured"
    : `configured are ${[...context.placeholders.keys()].sort().join(", ")}`);

const quoteRegex = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** A regex or network with placeholders: each becomes one of its values. */
function expandedRaw(
  text: string,
  plan: Plan,
  context: ReadingContext,
  refuse: Refuse,
): string[] | undefined {
  if (!plan.encoders.includes("expand")) return [text];
  let out = [""];
  for (const piece of placeholderPieces(text)) {
    const values = piece.name === undefined ? [piece.text] : context.placeholders.get(piece.name);
    if (values === undefined || values.length === 0)
      return refuse(placeholderMessage(piece.name, context), "rule.placeholder-unknown");
    const tails =
      piece.name !== undefined && plan.type === "regex"
        ? [`(?:${values.map(quoteRegex).join("|")})`]
        : values;
    if (out.length * tails.length > variantsMax)
      return refuse(
        `the placeholders unfold to more than ${variantsMax} texts; use fewer in one value`,
        "rule.value-too-many",
      );
    out = out.flatMap((head) => tails.map((tail) => head + tail));
  }
  return out;
}

function regexPredicate(
  node: ScalarNode,
  item: Item,
  context: ReadingContext,
  refuse: Refuse,
): Predicate[] | undefined {
  const text = typeof node.value === "string" ? node.value : node.source;
  const sources = expandedRaw(text, item.plan, context, refuse);
  const out: Predicate[] = [];
  for (const source of sources ?? []) {
    const compiled = compileRegex(source, item.plan.flags);
    if (!compiled.ok)
      return refuse(
        `the regular expression cannot be used: ${compiled.reason}; ` +
          "allowed are . ^ $ * + ? {n,m} [a-z] [^a-z] | ( ), no look-around and no back-reference",
        "rule.regex",
      );
    const placed = REGEX_PLACED[item.plan.place](source);
    out.push({ kind: "regex", field: item.field, source: placed, flags: item.plan.flags });
  }
  return sources === undefined ? undefined : out;
}

/** A regular expression is found anywhere; the modifiers of place tie it to the value's ends, flags or not. */
const REGEX_PLACED: Readonly<Record<Place, (source: string) => string>> = {
  whole: (source) => source,
  within: (source) => source,
  start: (source) => `\\A(?:${source})`,
  end: (source) => `(?:${source})\\z`,
};

function cidrPredicates(
  node: ScalarNode,
  field: EventField,
  plan: Plan,
  context: ReadingContext,
  refuse: Refuse,
): Predicate[] | undefined {
  const networks =
    typeof node.value === "string" ? expandedRaw(node.value, plan, context, refuse) : [node.source];
  const out: Predicate[] = [];
  for (const network of networks ?? []) {
    const parsed = networkOf(network);
    if (parsed === undefined)
      return refuse(
        `${JSON.stringify(network.slice(0, 60))} is no network; allowed are 10.0.0.0/8 and fd00::/8`,
      );
    out.push({ kind: "cidr", field, network, ...parsed });
  }
  return networks === undefined ? undefined : out;
}

const partRange: Readonly<Record<TimePart, readonly [number, number]>> = {
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  week: [1, 53],
  month: [1, 12],
  year: [0, 9999],
};

function comparePredicate(
  node: ScalarNode,
  field: EventField,
  plan: Plan,
  refuse: Refuse,
): Predicate[] | undefined {
  const { value } = node;
  if (isBeyondNumbers(node))
    return refuse(
      `${plan.part ?? plan.operator} takes a number below 2^53 (9007199254740992), which ${node.source} is not`,
    );
  if (typeof value !== "number" || !Number.isFinite(value))
    return refuse(`${plan.part ?? plan.operator} takes a number; found ${nameOfKind(node)}`);
  if (plan.part === undefined) return [{ kind: "compare", field, operator: plan.operator, value }];
  const [low, high] = partRange[plan.part];
  if (!Number.isInteger(value) || value < low || value > high)
    return refuse(`${plan.part} takes a whole number from ${low} to ${high}; found ${value}`);
  return [{ kind: "compare", field, operator: plan.operator, value, part: plan.part }];
}
