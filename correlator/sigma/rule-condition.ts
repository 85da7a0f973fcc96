// rule-condition.ts — reads a condition over rule names: `login and not (logout or lock)`, for temporal and temporal_ordered.
//
// Out:   a tree in which `not` stands at the names only; or, where order counts, the ways in which it can hold.
// Holds: it names each of the correlation's rules, and no others; some window can satisfy it; nesting is bounded.
import type { CountCondition, InOrder, RuleTest } from "../../core/records.ts";
import { SIGNS } from "./condition.ts";
import type { Reference } from "./correlation.ts";
import { isSameWord, wordKey } from "./rule-words.ts";
import type { ScalarNode, Source } from "./yaml.ts";

const charsMax = 65_536;
const depthMax = 64;
const waysMax = 1000;

type Word = { readonly text: string; readonly from: number };
type Reader = {
  readonly words: readonly Word[];
  readonly rules: readonly Reference[];
  readonly named: Set<number>;
  readonly length: number;
  position: number;
  depth: number;
};

/** Thrown inside the reader only. */
class Refusal extends Error {
  readonly from: number;
  constructor(from: number, message: string) {
    super(message);
    this.from = from;
  }
}

/** The rules that a condition names, in the order in which it does. */
export function rulesNamedIn(node: ScalarNode, source: Source): Reference[] {
  const names = new Map<string, Reference>();
  for (const { text, from } of wordsOf(node.source))
    if (!isOperator(text) && !names.has(wordKey(text)))
      names.set(wordKey(text), { text, offset: source.find(text, node.offset + from) });
  return [...names.values()];
}

export function ruleCondition(
  node: ScalarNode,
  to: { readonly rules: readonly Reference[]; readonly isOrdered: boolean },
  source: Source,
): CountCondition | undefined {
  const text = node.source;
  try {
    if (text.length > charsMax)
      throw new Refusal(0, `the condition has more than ${charsMax} characters`);
    const test = treeOf(text, to.rules);
    const ways = waysOf(test);
    if (ways === undefined && to.isOrdered)
      throw new Refusal(
        0,
        `the condition can hold in more than ${waysMax} ways; the order of each is looked at: write several correlations`,
      );
    const possible = ways?.filter((way) => isPossible(way, to.rules.length));
    if (possible?.length === 0)
      throw new Refusal(0, "no window satisfies the condition: in each, one of the rules matches");
    return to.isOrdered ? { orders: possible ?? [] } : { match: test };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const word = /^[^\s()]+|^[()]/.exec(text.slice(error.from))?.[0] ?? "";
    const offset = source.find(word, node.offset + error.from);
    source.problem("rule.correlation-condition", offset, error.message);
    return undefined;
  }
}

const wordsOf = (text: string): Word[] =>
  [...text.matchAll(/[()]|[^\s()]+/g)].map((match) => ({ text: match[0], from: match.index }));

const isOperator = (word: string): boolean => /^(and|or|not|[()])$/i.test(word);
const isWord = (word: Word | undefined, wanted: string): boolean =>
  word?.text.toLowerCase() === wanted;

function treeOf(text: string, rules: readonly Reference[]): RuleTest {
  const reader: Reader = {
    words: wordsOf(text),
    rules,
    named: new Set(),
    length: text.length,
    position: 0,
    depth: 0,
  };
  const test = readSeveral(reader, "or", false);
  const rest = reader.words[reader.position];
  if (rest !== undefined) throw unexpected(reader, "and, or, or the end");
  const unnamed = rules.find((_, place) => !reader.named.has(place));
  if (unnamed !== undefined)
    throw new Refusal(0, `the condition does not name ${unnamed.text}, which stands in rules`);
  return test;
}

function unexpected(reader: Reader, expected: string): Refusal {
  const word = reader.words[reader.position];
  const found = word === undefined ? "its end" : JSON.stringify(word.text.slice(0, 60));
  const meant = SIGNS.get(word?.text ?? "");
  return new Refusal(
    word?.from ?? reader.length,
    `the condition has ${found} where ${expected} must stand${meant === undefined ? "" : `; write ${meant}`}`,
  );
}

/** Below a `not`, what is linked by `or` must all be false, and the other way round. */
function readSeveral(reader: Reader, operator: "or" | "and", negated: boolean): RuleTest {
  const next = () =>
    operator === "or" ? readSeveral(reader, "and", negated) : readOne(reader, negated);
  const tests = [next()];
  while (isWord(reader.words[reader.position], operator)) {
    reader.position += 1;
    tests.push(next());
  }
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (operator === "and") !== negated ? { all: tests } : { any: tests };
}

function readOne(reader: Reader, negated: boolean): RuleTest {
  const word = reader.words[reader.position];
  if (word === undefined || word.text === ")" || isWord(word, "and") || isWord(word, "or"))
    throw unexpected(reader, "a rule, not or a bracket");
  reader.position += 1;
  reader.depth += 1;
  if (reader.depth > depthMax)
    throw new Refusal(word.from, `the condition is nested deeper than ${depthMax} levels`);
  const test = isWord(word, "not")
    ? readOne(reader, !negated)
    : word.text === "("
      ? readBracket(reader, negated)
      : readRule(reader, word, negated);
  reader.depth -= 1;
  return test;
}

function readBracket(reader: Reader, negated: boolean): RuleTest {
  const test = readSeveral(reader, "or", negated);
  if (reader.words[reader.position]?.text !== ")") throw unexpected(reader, "a closing bracket");
  reader.position += 1;
  return test;
}

function readRule(reader: Reader, word: Word, negated: boolean): RuleTest {
  const place = reader.rules.findIndex(({ text }) => isSameWord(text, word.text));
  if (place < 0)
    throw new Refusal(
      word.from,
      `the condition names ${JSON.stringify(word.text.slice(0, 60))}, which is none of the correlated rules: ` +
        reader.rules
          .slice(0, 20)
          .map(({ text }) => text)
          .join(", "),
    );
  reader.named.add(place);
  return negated ? { without: place } : { rule: place };
}

/** Each way in which the test can hold, the rules in their order; undefined where there are too many. */
function waysOf(test: RuleTest): readonly InOrder[] | undefined {
  if ("rule" in test) return [{ rules: [test.rule], without: [] }];
  if ("without" in test) return [{ rules: [], without: [test.without] }];
  const parts: (readonly InOrder[])[] = [];
  for (const one of "all" in test ? test.all : test.any) {
    const ways = waysOf(one);
    if (ways === undefined) return undefined;
    parts.push(ways);
  }
  if ("any" in test) return bounded(parts.flat());
  let out: readonly InOrder[] = [{ rules: [], without: [] }];
  for (const ways of parts) {
    if (out.length * ways.length > waysMax) return undefined;
    out = out.flatMap((head) => ways.map((way) => both(head, way)));
  }
  return out;
}

const bounded = (ways: readonly InOrder[]): readonly InOrder[] | undefined =>
  ways.length > waysMax ? undefined : ways;

const both = (one: InOrder, other: InOrder): InOrder => ({
  rules: sorted([...one.rules, ...other.rules]),
  without: sorted([...one.without, ...other.without]),
});
const sorted = (places: readonly number[]): number[] => [...new Set(places)].sort((a, b) => a - b);

const isPossible = ({ rules, without }: InOrder, count: number): boolean =>
  rules.every((place) => !without.includes(place)) && (rules.length > 0 || without.length < count);
