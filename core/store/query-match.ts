// query-match.ts — whether a document answers a query, found the slow and plain way; it is what a query means.
//
// The embedded store decides with it, after its index left out most of what cannot match; the contract tests hold the
// other stores to it.
import {
  compareText,
  eachLeaf,
  fold,
  foldText,
  isText,
  networkOf,
  type Ordered,
  orderedOf,
  type Scalar,
} from "./leaves.ts";
import {
  type Bound,
  fitsPattern,
  literalOf,
  MESSAGE,
  type Pattern,
  type PatternPart,
  type Query,
} from "./query.ts";
import { tokensOf } from "./tokens.ts";

export function matches(query: Query, document: unknown): boolean {
  return matcher(query)(document);
}

type Leaf = { readonly path: string; readonly value: Scalar };
type Test = (leaves: readonly Leaf[]) => boolean;

/** The query made ready to be asked of many documents. */
export function matcher(query: Query): (document: unknown) => boolean {
  if (query.kind === "all") return () => true;
  const test = testOf(query);
  return (document) => {
    const leaves: Leaf[] = [];
    eachLeaf(document, (path, value) => leaves.push({ path, value }));
    return test(leaves);
  };
}

function testOf(query: Query): Test {
  switch (query.kind) {
    case "all":
      return () => true;
    case "and": {
      const tests = query.parts.map(testOf);
      return (leaves) => tests.every((test) => test(leaves));
    }
    case "or": {
      const tests = query.parts.map(testOf);
      return (leaves) => tests.some((test) => test(leaves));
    }
    case "not": {
      const test = testOf(query.part);
      return (leaves) => !test(leaves);
    }
    case "words": {
      const within = query.in;
      return (leaves) =>
        leaves.some(
          ({ path, value }) =>
            (within === "message" ? path === MESSAGE : isText(path)) &&
            hasPhrase(tokensOf(String(value)), query.tokens),
        );
    }
    case "exists": {
      const below = `${query.field}.`;
      return (leaves) => leaves.some(({ path }) => path === query.field || path.startsWith(below));
    }
    case "value":
      return anyValue(query.field, valueTest(query.text));
    case "pattern": {
      const pattern = query.pattern.map(foldPart);
      return anyValue(query.field, (value) => fitsPattern(pattern, fold(value)));
    }
    case "range":
      return anyValue(query.field, rangeTest(query.from, query.to));
    case "network": {
      const network = networkOf(query.cidr);
      return anyValue(query.field, (value) => {
        const address = network === undefined ? undefined : orderedOf(value);
        if (network === undefined || address?.kind !== "address") return false;
        return address.key >= network.from && address.key <= network.to;
      });
    }
  }
}

const foldPart = (part: PatternPart): PatternPart =>
  part.kind === "literal" ? { kind: "literal", text: foldText(part.text) } : part;

const anyValue =
  (field: string, test: (value: Scalar) => boolean): Test =>
  (leaves) =>
    leaves.some(({ path, value }) => path === field && test(value));

function valueTest(text: string): (value: Scalar) => boolean {
  const wanted = fold(text);
  const address = addressKey(text);
  return (value) => {
    if (fold(value) === wanted) return true;
    return address !== undefined && addressKey(value) === address;
  };
}

const addressKey = (value: Scalar): string | undefined => {
  const ordered = orderedOf(value);
  return ordered?.kind === "address" ? ordered.key : undefined;
};

/** How a range compares: by what both of its bounds are, else as text. */
export function rangeKind(
  from: Bound | undefined,
  to: Bound | undefined,
): Ordered["kind"] | "text" {
  const kinds = [from, to].flatMap((bound): (Ordered["kind"] | "text")[] =>
    bound === undefined ? [] : [orderedOf(bound.text)?.kind ?? "text"],
  );
  const [kind = "text"] = kinds;
  return kinds.every((other) => other === kind) ? kind : "text";
}

function rangeTest(from: Bound | undefined, to: Bound | undefined): (value: Scalar) => boolean {
  const kind = rangeKind(from, to);
  const keyOf = (value: Scalar): string | undefined => {
    if (kind === "text") return fold(value);
    const ordered = orderedOf(value);
    return ordered?.kind === kind ? ordered.key : undefined;
  };
  const least = from === undefined ? undefined : keyOf(from.text);
  const most = to === undefined ? undefined : keyOf(to.text);
  return (value) => {
    const key = keyOf(value);
    if (key === undefined) return false;
    if (from !== undefined && least !== undefined) {
      const order = compareText(key, least);
      if (order < 0 || (order === 0 && !from.inclusive)) return false;
    }
    if (to !== undefined && most !== undefined) {
      const order = compareText(key, most);
      if (order > 0 || (order === 0 && !to.inclusive)) return false;
    }
    return true;
  };
}

function hasPhrase(tokens: readonly string[], wanted: readonly Pattern[]): boolean {
  const tests = wanted.map((pattern) => {
    const text = literalOf(pattern);
    return text === undefined
      ? (token: string) => fitsPattern(pattern, token)
      : (token: string) => token === text;
  });
  for (let start = 0; start + tests.length <= tokens.length; start++) {
    if (tests.every((test, offset) => test(tokens[start + offset] ?? ""))) return true;
  }
  return false;
}
