// Rules that use several things at once, from their text to their findings, in any order of the events.
import { expect, test } from "vitest";
import type { EcsEvent } from "../core/event.ts";
import { ruleSetOf } from "./fixtures/rule-set.ts";
import { indexedMatcher } from "./match/indexed.ts";
import { findingsOf } from "./rule-tests.ts";
import { readRules } from "./sigma/load.ts";

const detection = (name: string) =>
  `title: ${name}\nname: ${name}\nlogsource: { product: p }\ndetection: { s: { what: ${name} }, condition: s }\n---\n`;
const correlation = (name: string, level: string, body: readonly string[]) =>
  `title: ${name}\nname: ${name}\nlevel: ${level}\ncorrelation:\n  ${body.join("\n  ")}\n---\n`;

type Fields = {
  readonly what: string;
  readonly host: string | readonly string[];
  readonly size?: number;
  readonly user?: string | readonly string[];
};
type At = readonly [atMin: number, fields: Fields];

/** `rule group first last count level suppressed`, times in minutes. */
function found(text: string, events: readonly At[], untilMin = 0): string[] {
  const set = ruleSetOf(text);
  const stamped = events.map(
    ([atMin, fields], index) =>
      ({
        ...fields,
        "@timestamp": new Date(atMin * 60_000).toISOString(),
        event: { id: `e${index}` },
        wache: { stream: "live", sources: [{ product: "p" }] },
      }) as unknown as EcsEvent,
  );
  const told = (order: readonly EcsEvent[]) =>
    findingsOf(order, set, { matcher: indexedMatcher(set), untilMs: untilMin * 60_000 })
      .map(({ rule, group, firstMs, lastMs, count, suppressed }) =>
        [
          ...[rule.name, Object.values(group).join("/"), firstMs / 60_000, lastMs / 60_000],
          ...[count, rule.level, suppressed ?? 0],
        ].join(" "),
      )
      .sort();
  const inOrder = told(stamped);
  expect(told(stamped.toReversed())).toEqual(inOrder);
  return inOrder;
}

test("a sum that is suppressed and escalates", () => {
  const rules =
    detection("sent") +
    correlation("much", "medium", [
      "type: value_sum",
      "rules: [sent]",
      "group-by: [host]",
      "timespan: 10m",
      "condition: { field: size, gt: 100 }",
      "suppress: 2h",
      "escalate: [{ count: 4, level: critical }]",
    ]);
  const sent = (atMin: number, size: number): At => [atMin, { what: "sent", host: "a", size }];
  const first = [sent(0, 60), sent(5, 41)];
  expect(found(rules, first)).toEqual(["much a 0 5 2 medium 0"]);
  expect(found(rules, [sent(0, 60), sent(5, 40)])).toEqual([]);
  const second = [sent(60, 200), sent(90, 150)];
  expect(found(rules, [...first, ...second])).toEqual(["much a 0 5 2 medium 2"]);
  const graver = [sent(110, 50), sent(111, 50), sent(112, 0.5), sent(113, 1)];
  expect(found(rules, [...first, ...second, ...graver])).toEqual([
    "much a 0 5 2 medium 2",
    "much a 110 113 4 critical 0",
  ]);
});

test("an absence that an expression uses, and one that awaits a sum", () => {
  const rules =
    detection("copied") +
    detection("maintenance") +
    correlation("backed_up", "low", [
      "type: value_sum",
      "rules: [copied]",
      "group-by: [host]",
      "timespan: 10m",
      "condition: { field: size, gte: 100 }",
    ]) +
    correlation("no_backup", "low", [
      "type: absence",
      "rules: [backed_up]",
      "group-by: [host]",
      "timespan: 60m",
      "rememberFor: 1d",
    ]) +
    correlation("unexplained", "high", [
      "type: temporal",
      "condition: no_backup and not maintenance",
      "group-by: [host]",
      "timespan: 30m",
    ]);
  const copied = (atMin: number, host: string, size: number): At => [
    atMin,
    { what: "copied", host, size },
  ];
  const maintenance = (atMin: number): At => [atMin, { what: "maintenance", host: "a" }];
  const backup = [copied(0, "a", 60), copied(5, "a", 40)];
  expect(found(rules, [...backup, copied(64, "a", 99)], 65)).toEqual([]);
  expect(found(rules, backup, 66)).toEqual(["unexplained a 65 65 1 high 0"]);
  expect(found(rules, [...backup, maintenance(34)], 66)).toEqual(["unexplained a 65 65 1 high 0"]);
  expect(found(rules, [...backup, maintenance(35)], 66)).toEqual([]);
  expect(found(rules, [...backup, copied(60, "a", 100)], 66)).toEqual([]);
});

test("an expression over an absence cannot group by what that one is not grouped by", () => {
  const rules =
    detection("beat") +
    detection("maintenance") +
    correlation("silent", "low", [
      ...["type: absence", "rules: [beat]", "group-by: [host]", "timespan: 60m"],
      "rememberFor: 1d",
    ]) +
    correlation("unexplained", "high", [
      ...["type: temporal", "condition: silent and not maintenance", "group-by: [site]"],
      "timespan: 30m",
    ]);
  const { problems } = readRules([{ path: "r.yml", text: rules, lenient: false }]);
  expect(problems.map(({ code }) => code)).toEqual(["rule.group-unknown"]);
});

const guessed = correlation("many_failed_logins", "low", [
  ...["type: event_count", "rules: [failed]", "group-by: [host]", "timespan: 5m"],
  "condition: { gte: 3 }",
]);
const failed = (atMin: number, user?: string | readonly string[], host = "a"): At => [
  atMin,
  { what: "failed", host, ...(user !== undefined && { user }) },
];
const signedIn = (atMin: number, user: string, host: string): At => [
  atMin,
  { what: "succeeded", host, user },
];

test("a chain is grouped by its own fields, whatever the rule below is grouped by", () => {
  // The specification's example of temporal_ordered, and its note.
  const rules =
    detection("failed") +
    detection("succeeded") +
    guessed +
    correlation("broken_in", "high", [
      ...["type: temporal_ordered", "rules: [many_failed_logins, succeeded]", "group-by: [user]"],
      "timespan: 1h",
    ]);
  const failures = [failed(0, "ann"), failed(1, "bob"), failed(2, "eve")];
  expect(found(rules, [...failures, signedIn(30, "eve", "b")])).toEqual([
    "broken_in eve 2 30 2 high 0",
  ]);
  expect(found(rules, [...failures, signedIn(30, "ann", "a")])).toEqual([]); // before the third
  expect(found(rules, [...failures.slice(1), signedIn(30, "eve", "a")])).toEqual([]);
  expect(found(rules, [...failures, failed(3), signedIn(30, "eve", "b")])).toEqual([
    "broken_in eve 2 30 2 high 0",
  ]);
  const several = [...failures, failed(3, ["ann", "bob"])];
  expect(found(rules, [...several, signedIn(30, "bob", "b"), signedIn(31, "ann", "b")])).toEqual([
    "broken_in ann 3 31 2 high 0",
    "broken_in bob 3 30 2 high 0",
  ]);
});

test("a chain counts fields that the rules below are not grouped by", () => {
  const rules =
    detection("failed") +
    guessed +
    correlation("users", "high", [
      ...["type: value_count", "rules: [many_failed_logins]", "group-by: [host]"],
      ...["timespan: 10m", "condition: { field: user, gte: 2 }"],
    ]);
  const of = (...users: string[]): At[] => users.map((user, minute) => failed(minute, user));
  expect(found(rules, of("x", "x", "ann", "bob"))).toEqual(["users a 2 3 2 high 0"]);
  expect(found(rules, of("x", "x", "ann", "ann"))).toEqual([]);
});

test("numbers that are carried count as often as the event has them", () => {
  const above = (of: string, field: string) =>
    correlation("much", "high", [
      ...["type: value_sum", `rules: [${of}]`, "timespan: 5m"],
      `condition: { field: ${field}, eq: 6 }`,
    ]);
  const sized = (size: readonly number[]): At =>
    [0, { what: "sent", host: "a", size }] as unknown as At;
  const once =
    detection("sent") +
    correlation("any", "low", [
      ...["type: event_count", "rules: [sent]", "group-by: [host]", "timespan: 5m"],
      "condition: { gte: 1 }",
    ]) +
    above("any", "size");
  expect(found(once, [sized([3, 3])])).toEqual(["much  0 0 1 high 0"]);
  expect(found(once, [sized([3])])).toEqual([]);
  const both = bothWays + renamed("src") + above("anything", "ip");
  const between = (src: readonly number[], dst: readonly number[]): At =>
    [0, { what: "both", host: "a", src, dst }] as unknown as At;
  for (const [src, dst] of [
    [
      [1, 1],
      [1, 4],
    ],
    [
      [4, 1],
      [1, 1, 4],
    ],
  ] as const)
    expect(found(both, [between(src, dst)])).toContain("much  0 0 1 high 0");
});

test("of many equal values that are carried none cuts another off", () => {
  const rules =
    detection("sent") +
    correlation("any", "low", [
      ...["type: event_count", "rules: [sent]", "group-by: [host]", "timespan: 5m"],
      "condition: { gte: 1 }",
    ]) +
    correlation("by_user", "high", [
      ...["type: event_count", "rules: [any]", "group-by: [user]", "timespan: 5m"],
      "condition: { gte: 1 }",
    ]);
  const user = [...Array<string>(300).fill("ann"), "bob"];
  expect(found(rules, [[0, { what: "sent", host: "a", user }]])).toEqual([
    "by_user ann 0 0 1 high 0",
    "by_user bob 0 0 1 high 0",
  ]);
});

test("what is carried depends on the event, not on the groups that it went through", () => {
  const rules =
    detection("failed") +
    guessed +
    correlation("anywhere", "low", [
      ...["type: event_count", "rules: [many_failed_logins]", "timespan: 5m"],
      "condition: { gte: 1 }",
    ]) +
    correlation("by_host", "high", [
      ...["type: event_count", "rules: [anywhere]", "group-by: [host]", "timespan: 5m"],
      "condition: { gte: 1 }",
    ]);
  const both: At = [2, { what: "failed", host: ["a", "b"] }];
  expect(found(rules, [failed(0), failed(1), both])).toEqual([
    "by_host a 2 2 1 high 0",
    "by_host b 2 2 1 high 0",
  ]);
});

const renamed = (as: string): string =>
  correlation("low", "low", [
    ...["type: event_count", "rules: [out, in]", "group-by: [ip]", "timespan: 5m"],
    ...["condition: { gte: 1 }", `aliases: { ip: { out: ${as}, in: dst } }`],
  ]) +
  correlation("anything", "low", [
    ...["type: event_count", "rules: [low]", "timespan: 5m", "condition: { gte: 1 }"],
  ]) +
  correlation("top", "high", [
    ...["type: event_count", "rules: [anything]", "group-by: [ip]", "timespan: 5m"],
    "condition: { gte: 1 }",
  ]);
const bothWays =
  detection("out").replace("what: out", "what: both") +
  detection("in").replace("what: in", "what: both");

test("what rules below call differently is all carried, whichever comes first", () => {
  const rules = bothWays + renamed("src");
  const between = (atMin: number, src: string, dst: string): At =>
    [atMin, { what: "both", host: "a", src, dst }] as unknown as At;
  expect(found(rules, [between(0, "x", "y")])).toEqual([
    "top x 0 0 1 high 0",
    "top y 0 0 1 high 0",
  ]);
  expect(found(rules, [between(0, "x", "y"), between(1, "y", "x")])).toEqual([
    "top x 0 1 2 high 0",
    "top y 0 1 2 high 0",
  ]);
});

test("an alias that says what is carried is part of the version of the rule that asks for it", () => {
  const versionOf = (as: string, name: string) =>
    ruleSetOf(bothWays + renamed(as)).correlations.find(({ about }) => about.title === name)
      ?.version;
  expect(versionOf("src", "top")).not.toBe(versionOf("other", "top"));
  expect(versionOf("src", "top")).toBe(versionOf("src", "top"));
});

test.for([
  { where: "nowhere", shown: [] },
  { where: "in the detection", base: "generate: true\n", shown: ["base", "base"] },
  { where: "inside the chain's last rule", top: "  generate: true\n", shown: ["middle"] },
  { where: "beside the chain's last rule", top: "generate: true\n", shown: ["middle"] },
  { where: "inside the one between", middle: "  generate: true\n", shown: ["base", "base"] },
  {
    where: "beside the one between",
    middle: "generate: true\n",
    shown: ["base", "base", "middle"],
  },
])("generate $where shows what it refers to, beside also the rule itself", (row) => {
  const { base = "", middle = "", top = "", shown } = row;
  const counting = (name: string, below: string, generate: string) =>
    `title: ${name}\nname: ${name}\ncorrelation:\n  type: event_count\n  rules: [${below}]\n  timespan: 5m\n` +
    `  condition: { gte: 2 }\n${generate}---\n`;
  const rules =
    detection("base").replace("title", `${base}title`) +
    counting("middle", "base", middle) +
    counting("top", "middle", top);
  const event = (atMin: number): At => [atMin, { what: "base", host: "a" }];
  expect(found(rules, [event(0), event(1)]).map((line) => line.split(" ")[0])).toEqual(shown);
});
