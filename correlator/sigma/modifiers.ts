// modifiers.ts — reads `field|modifier|modifier` and says what the modifiers together ask for.
//
// Out:   a plan that values.ts applies to each value, or problems: an unknown modifier, one that does not go with another.

import { nearest } from "../../core/nearest.ts";
import type { CompareOperator, Place, TimePart } from "./rule.ts";
import type { Source } from "./yaml.ts";

export type Encoder =
  | "base64"
  | "base64offset"
  | "utf16"
  | "utf16le"
  | "utf16be"
  | "windash"
  | "expand";

export type Plan = {
  readonly type: "text" | "regex" | "cidr" | "compare" | "exists" | "fieldref";
  readonly encoders: readonly Encoder[]; // in the order written
  readonly place: Place;
  readonly flags: string;
  readonly operator: CompareOperator;
  readonly part?: TimePart;
  readonly all: boolean;
  readonly cased: boolean;
  readonly neq: boolean;
};

const PLACES: Readonly<Record<string, Place>> = {
  contains: "within",
  startswith: "start",
  endswith: "end",
};
const OPERATORS = ["lt", "lte", "gt", "gte"] as const;
const PARTS = ["minute", "hour", "day", "week", "month", "year"] as const;
const REGEX_FLAGS = ["i", "m", "s"] as const;
const ENCODERS = [
  "base64",
  "base64offset",
  "utf16",
  "utf16le",
  "utf16be",
  "wide",
  "windash",
  "expand",
] as const;
export const MODIFIERS: readonly string[] = [
  ...Object.keys(PLACES),
  "all",
  "cased",
  "neq",
  "exists",
  "re",
  ...REGEX_FLAGS,
  ...ENCODERS,
  ...OPERATORS,
  ...PARTS,
  "cidr",
  "fieldref",
];

const includes = <T extends string>(list: readonly T[], word: string): word is T =>
  (list as readonly string[]).includes(word);

/** What each type of value may be combined with, beside `all` and `neq`. */
const GOES_WITH: Readonly<Record<Plan["type"], readonly string[]>> = {
  text: [...Object.keys(PLACES), "cased", ...ENCODERS],
  regex: ["re", ...REGEX_FLAGS, ...Object.keys(PLACES), "cased", "expand"],
  cidr: ["cidr", "expand"],
  compare: [...OPERATORS, ...PARTS],
  exists: ["exists"],
  fieldref: ["fieldref", ...Object.keys(PLACES), "cased"],
};

export function planOf(words: readonly string[], source: Source, offset: number): Plan | undefined {
  const refuse = (code: string, message: string) => {
    source.problem(code, offset, message);
    return undefined;
  };
  const unknown = words.find((word) => !MODIFIERS.includes(word));
  if (unknown !== undefined) {
    const near = unknown === "" ? undefined : nearest(unknown, MODIFIERS);
    const meant = near === undefined ? "" : `did you mean ${near}? `;
    const found =
      unknown === ""
        ? "no modifier stands after a |; write one or remove the |"
        : `${JSON.stringify(unknown)} is no modifier`;
    return refuse("rule.modifier-unknown", `${found}; ${meant}allowed are ${MODIFIERS.join(", ")}`);
  }
  const twice = words.find((word, i) => words.indexOf(word) !== i);
  if (twice !== undefined)
    return refuse("rule.modifier-combination", `the modifier ${twice} stands twice; write it once`);
  const type = typeOf(words);
  const stranger = words.find((word) => !belongs(type, word));
  if (stranger !== undefined)
    return refuse(
      "rule.modifier-combination",
      `the modifier ${stranger} does not go with ${words.filter((word) => word !== stranger).join(", ") || "a field alone"}; ` +
        (type === "exists"
          ? "exists stands alone: exists: true, or exists: false"
          : `with ${typeWord(type)} go ${[...GOES_WITH[type], "all", "neq"].join(", ")}`),
    );
  const wrong = orderProblem(words);
  if (wrong !== undefined) return refuse("rule.modifier-combination", wrong);
  return plan(words, type);
}

function typeOf(words: readonly string[]): Plan["type"] {
  for (const word of words) {
    if (word === "re") return "regex";
    if (word === "cidr" || word === "exists" || word === "fieldref") return word;
    if (includes(OPERATORS, word) || includes(PARTS, word)) return "compare";
  }
  return "text";
}

const belongs = (type: Plan["type"], word: string): boolean =>
  GOES_WITH[type].includes(word) ||
  (type !== "exists" && word === "neq") ||
  (type !== "exists" && word === "all");

const typeWord = (type: Plan["type"]): string => (type === "text" ? "a string" : type);

function orderProblem(words: readonly string[]): string | undefined {
  const several = (among: readonly string[]) => words.filter((word) => among.includes(word));
  for (const among of [Object.keys(PLACES), OPERATORS, PARTS]) {
    const found = several(among);
    if (found.length > 1) return `${found.join(" and ")} exclude each other; keep one`;
  }
  const re = words.indexOf("re");
  const flag = words.findIndex((word) => includes(REGEX_FLAGS, word));
  if (flag >= 0 && flag < re) return `${words[flag]} must stand after re, as in re|${words[flag]}`;
  if (words.includes("cased") && words.includes("i"))
    return "cased and i contradict each other; keep one";
  const place = words.findIndex((word) => word in PLACES);
  const late = words.findIndex(
    (word, i) => i > place && includes(ENCODERS, word) && word !== "windash" && word !== "expand",
  );
  if (place >= 0 && late >= 0)
    return `${words[late]} must stand before ${words[place]}: wildcards cannot be encoded`;
  const encoded = words.findIndex((word) => word === "base64" || word === "base64offset");
  const after = words.findIndex(
    (word, i) => encoded >= 0 && i > encoded && includes(ENCODERS, word),
  );
  if (after >= 0) return `${words[after]} must stand before ${words[encoded]}`;
  return undefined;
}

function plan(words: readonly string[], type: Plan["type"]): Plan {
  const part = words.find((word) => includes(PARTS, word));
  const place = words.find((word) => Object.hasOwn(PLACES, word));
  const part_ = part === undefined || !includes(PARTS, part) ? {} : { part };
  return {
    type,
    encoders: words.flatMap((word): Encoder[] =>
      word === "wide" ? ["utf16le"] : includes(ENCODERS, word) && word !== "wide" ? [word] : [],
    ),
    place: (place === undefined ? undefined : PLACES[place]) ?? "whole",
    flags: REGEX_FLAGS.filter((flag) => words.includes(flag)).join(""),
    operator: words.find((word) => includes(OPERATORS, word)) ?? "eq",
    ...part_,
    all: words.includes("all"),
    cased: words.includes("cased"),
    neq: words.includes("neq"),
  };
}
