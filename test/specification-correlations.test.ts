// The specification's examples of correlations, each with events that just match and events that just do not.
import { expect, test } from "vitest";
import type { EcsEvent } from "../core/event.ts";
import { ruleSetOf } from "../correlator/fixtures/rule-set.ts";
import { indexedMatcher } from "../correlator/match/indexed.ts";
import { findingsOf } from "../correlator/rule-tests.ts";

type Fields = Readonly<Record<string, unknown>>;
type At = readonly [atMs: number, fields: Fields];

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const START_MS = Date.UTC(2026, 0, 5, 8);

const detection = (name: string, of: string): string =>
  `---\ntitle: ${name}\nname: ${name}\nlogsource: { product: p }\ndetection: { s: { ${of} }, condition: s }\n`;
const correlation = (name: string, of: string): string =>
  `---\ntitle: ${name}\nname: ${name}\ncorrelation:\n  ${of.trim().replaceAll("\n", "\n  ")}\n`;

/** The findings as `rule group first last count`; times from the first event's start, in ms. */
function found(rules: string, events: readonly At[]): string[] {
  const set = ruleSetOf(rules);
  const stamped = events.map(
    ([atMs, fields], index) =>
      ({
        ...fields,
        "@timestamp": new Date(START_MS + atMs).toISOString(),
        event: { id: `e${index}` },
        wache: { stream: "live", sources: [{ product: "p" }] },
      }) as unknown as EcsEvent,
  );
  const told = findingsOf(stamped, set, { matcher: indexedMatcher(set) }).map(
    ({ rule, group, firstMs, lastMs, count }) =>
      `${rule.name} ${Object.values(group).join("/")} ${firstMs - START_MS} ${lastMs - START_MS} ${count}`,
  );
  const reversed = findingsOf(stamped.toReversed(), set, { matcher: indexedMatcher(set) });
  expect(reversed).toHaveLength(told.length);
  return told.sort();
}

/** As many events, the first at 0 and the last at `untilMs`. */
const spread = (count: number, untilMs: number, fields: (index: number) => Fields): At[] =>
  Array.from({ length: count }, (_, index) => [
    Math.floor((index * untilMs) / (count - 1)),
    fields(index),
  ]);

const FAILED = detection("failed", "id: 4625");
const failedLogin = (more: Fields) => () => ({ id: 4625, ...more });

const manyFailed =
  correlation(
    "many",
    "type: event_count\nrules: [failed]\ngroup-by: [ComputerName]\ntimespan: 1h\ncondition: { gte: 100 }",
  ) + FAILED;
const between =
  correlation(
    "some",
    "type: event_count\nrules: [failed]\ngroup-by: [ComputerName]\ntimespan: 1h\ncondition: { gt: 100, lte: 200 }",
  ) + FAILED;
const manyUsers =
  correlation(
    "users",
    "type: value_count\nrules: [failed]\ngroup-by: [ComputerName, WorkstationName]\ntimespan: 1d\ncondition: { field: User, gte: 100 }",
  ) + FAILED;
const pairs =
  correlation(
    "pairs",
    "type: event_count\nrules: [failed]\ngroup-by: [TargetUserName, TargetDomainName]\ntimespan: 1m\ncondition: { gte: 2 }",
  ) + FAILED;
const here = failedLogin({ ComputerName: "srv", WorkstationName: "ws" })();

const recon = (of: string): string =>
  correlation(
    "recon",
    `${of}\nrules: [cmd_a, cmd_b, cmd_c]\ngroup-by: [ComputerName, User]\ntimespan: 5m`,
  ) + ["a", "b", "c"].map((one) => detection(`cmd_${one}`, `cmd: ${one}`)).join("");
const cmd = (atMs: number, which: string, user = "ann"): At => [
  atMs,
  { cmd: which, ComputerName: "srv", User: user },
];
const ANY_ORDER = recon("type: temporal");
const IN_ORDER = recon("type: temporal_ordered");
const TWO_OF_THREE = recon("type: temporal\ncondition: { gte: 2, lt: 3 }");
const ALL_NAMED = recon("type: temporal\ncondition: cmd_a AND cmd_b AND cmd_c");
const NOT_C = recon("type: temporal\ncondition: (cmd_a or cmd_b) and not cmd_c");
const ORDERED_NAMED = recon("type: temporal_ordered\ncondition: cmd_a AND cmd_b AND cmd_c");
const ORDERED_NOT = recon("type: temporal_ordered\ncondition: cmd_a and not cmd_b and cmd_c");

const ids = `${correlation(
  "by_id",
  "type: temporal\nrules: [5638f7c0-ac70-491d-8465-2a65075e0d86, ok]\ngroup-by: [User]\ntimespan: 1m",
)}${FAILED.replace("name: failed", "id: 5638f7c0-ac70-491d-8465-2a65075e0d86")}${detection("ok", "id: 4624")}`;

const WEB = detection("website_access", "kind: web");
const sum = `${correlation(
  "exfiltration",
  "type: value_sum\nrules: [website_access]\ngroup-by: [SourceIP, User]\ntimespan: 1h\ncondition: { field: bytes_sent, gt: 1000000 }",
)}${WEB}`;
const average = `${correlation(
  "traffic",
  "type: value_avg\nrules: [website_access]\ngroup-by: [SourceIP, User]\ntimespan: 24h\ncondition: { field: bytes_sent, gt: 500 }",
)}${WEB}`;
const median = average.replace("value_avg", "value_median");
const percentile = average
  .replace("value_avg", "value_percentile")
  .replace("gt: 500", "percentile: 90, gt: 500");
const web = (atMs: number, bytes: unknown, user = "ann"): At => [
  atMs,
  { kind: "web", SourceIP: "10.0.0.1", User: user, bytes_sent: bytes },
];

const rare = `${correlation(
  "rare",
  "type: value_percentile\nrules: [process_creation]\ngroup-by: [ComputerName]\ntimespan: 24h\ncondition: { field: image, lte: 1 }",
)}${detection("process_creation", "kind: process")}`;
const processes = (usual: number, rarely: number): At[] =>
  spread(usual + rarely, 24 * HOUR, (index) => ({
    kind: "process",
    ComputerName: "srv",
    image: index < usual ? "usual" : "rare",
  }));

const aliases = `${correlation(
  "both",
  `type: temporal
rules: [internal_error, new_network_connection]
group-by: [internal_ip, remote_ip]
timespan: 10s
aliases:
  internal_ip: { internal_error: destination.ip, new_network_connection: source.ip }
  remote_ip: { internal_error: source.ip, new_network_connection: destination.ip }`,
)}${detection("internal_error", "status: 500")}${detection("new_network_connection", "kind: network")}`;
const error = (atMs: number): At => [
  atMs,
  { status: 500, source: { ip: "9.9.9.9" }, destination: { ip: "10.0.0.1" } },
];
const connection = (atMs: number, from: string, to: string): At => [
  atMs,
  { kind: "network", source: { ip: from }, destination: { ip: to } },
];

const followed = `${correlation(
  "followed",
  "type: temporal_ordered\nrules: [multiple_failed_login, successful_login]\ngroup-by: [User]\ntimespan: 10m",
)}${correlation(
  "multiple_failed_login",
  "type: event_count\nrules: [failed]\ngroup-by: [User]\ntimespan: 10m\ncondition: { gte: 10 }",
)}${FAILED}${detection("successful_login", "id: [528, 4624]")}`;
const failures = (count: number): At[] => spread(count, 10 * MINUTE, failedLogin({ User: "ann" }));
const success = (atMs: number, user = "ann"): At => [atMs, { id: 4624, User: user }];

const lastAt = 10 * MINUTE;
test.for([
  {
    name: "event_count: 100 in an hour",
    rules: manyFailed,
    events: spread(100, HOUR, () => here),
    want: ["many srv 0 3600000 100"],
  },
  {
    name: "event_count: one fewer",
    rules: manyFailed,
    events: spread(99, HOUR, () => here),
    want: [],
  },
  {
    name: "event_count: one millisecond too wide",
    rules: manyFailed,
    events: spread(100, HOUR + 1, () => here),
    want: [],
  },
  {
    name: "event_count: one of them at another computer",
    rules: manyFailed,
    events: spread(100, HOUR, (index) => ({ ...here, ComputerName: index === 50 ? "x" : "srv" })),
    want: [],
  },
  {
    name: "a range: 101 at once",
    rules: between,
    events: Array.from({ length: 101 }, (): At => [0, here]),
    want: ["some srv 0 0 101"],
  },
  {
    name: "a range: 200 at once",
    rules: between,
    events: Array.from({ length: 200 }, (): At => [0, here]),
    want: ["some srv 0 0 200"],
  },
  {
    name: "a range: one fewer",
    rules: between,
    events: Array.from({ length: 100 }, (): At => [0, here]),
    want: [],
  },
  {
    name: "a range: one more",
    rules: between,
    events: Array.from({ length: 201 }, (): At => [0, here]),
    want: [],
  },
  {
    name: "value_count: 100 users in a day",
    rules: manyUsers,
    events: spread(100, 24 * HOUR, (index) => ({ ...here, User: `u${index}` })),
    want: ["users srv/ws 0 86400000 100"],
  },
  {
    name: "value_count: one value fewer in twice the events",
    rules: manyUsers,
    events: spread(200, 24 * HOUR, (index) => ({ ...here, User: `u${index % 99}` })),
    want: [],
  },
  {
    name: "value_count: one millisecond too wide",
    rules: manyUsers,
    events: spread(100, 24 * HOUR + 1, (index) => ({ ...here, User: `u${index}` })),
    want: [],
  },
  {
    name: "group-by of two fields: the same pair",
    rules: pairs,
    events: [0, 1].map((at): At => [at, { id: 4625, TargetUserName: "a", TargetDomainName: "d" }]),
    want: ["pairs a/d 0 1 2"],
  },
  {
    name: "group-by of two fields: one differs",
    rules: pairs,
    events: [0, 1].map(
      (at): At => [at, { id: 4625, TargetUserName: "a", TargetDomainName: `${at}` }],
    ),
    want: [],
  },
  {
    name: "temporal: in any order",
    rules: ANY_ORDER,
    events: [cmd(0, "c"), cmd(9, "a"), cmd(5 * MINUTE, "b")],
    want: ["recon srv/ann 0 300000 3"],
  },
  {
    name: "temporal: one millisecond too wide",
    rules: ANY_ORDER,
    events: [cmd(0, "c"), cmd(9, "a"), cmd(5 * MINUTE + 1, "b")],
    want: [],
  },
  {
    name: "temporal: one of them by another user",
    rules: ANY_ORDER,
    events: [cmd(0, "c"), cmd(9, "a"), cmd(10, "b", "bob")],
    want: [],
  },
  {
    name: "temporal: a count of rules",
    rules: TWO_OF_THREE,
    events: [cmd(0, "c"), cmd(9, "a"), cmd(10, "a")],
    want: ["recon srv/ann 0 10 3"],
  },
  {
    name: "temporal: a count of rules that one rule does not make",
    rules: TWO_OF_THREE,
    events: [cmd(0, "a"), cmd(9, "a")],
    want: [],
  },
  {
    name: "temporal: a count of rules that is too high",
    rules: TWO_OF_THREE,
    events: [cmd(0, "a"), cmd(0, "b"), cmd(0, "c")],
    want: [],
  },
  {
    name: "temporal with an expression",
    rules: ALL_NAMED,
    events: [cmd(0, "c"), cmd(9, "a"), cmd(5 * MINUTE, "b")],
    want: ["recon srv/ann 0 300000 3"],
  },
  {
    name: "temporal with an expression: one missing",
    rules: ALL_NAMED,
    events: [cmd(0, "c"), cmd(9, "a")],
    want: [],
  },
  {
    name: "temporal with not: the window before holds none",
    rules: NOT_C,
    events: [cmd(0, "c"), cmd(5 * MINUTE + 1, "b")],
    want: ["recon srv/ann 300001 300001 1"],
  },
  {
    name: "temporal with not: the window before reaches one",
    rules: NOT_C,
    events: [cmd(0, "c"), cmd(5 * MINUTE, "b")],
    want: [],
  },
  {
    name: "temporal_ordered: in order",
    rules: IN_ORDER,
    events: [cmd(0, "a"), cmd(1, "b"), cmd(5 * MINUTE, "c")],
    want: ["recon srv/ann 0 300000 3"],
  },
  {
    name: "temporal_ordered: equal times are in order",
    rules: IN_ORDER,
    events: [cmd(0, "c"), cmd(0, "b"), cmd(0, "a")],
    want: ["recon srv/ann 0 0 3"],
  },
  {
    name: "temporal_ordered: the last one millisecond early",
    rules: IN_ORDER,
    events: [cmd(0, "a"), cmd(2, "b"), cmd(1, "c")],
    want: [],
  },
  {
    name: "temporal_ordered: one millisecond too wide",
    rules: IN_ORDER,
    events: [cmd(0, "a"), cmd(1, "b"), cmd(5 * MINUTE + 1, "c")],
    want: [],
  },
  {
    name: "temporal_ordered with an expression: in order",
    rules: ORDERED_NAMED,
    events: [cmd(0, "a"), cmd(1, "b"), cmd(2, "c")],
    want: ["recon srv/ann 0 2 3"],
  },
  {
    name: "temporal_ordered with an expression: out of order",
    rules: ORDERED_NAMED,
    events: [cmd(0, "b"), cmd(1, "a"), cmd(2, "c")],
    want: [],
  },
  {
    name: "temporal_ordered with not: none in the window",
    rules: ORDERED_NOT,
    events: [cmd(0, "b"), cmd(1, "a"), cmd(5 * MINUTE + 1, "c")],
    want: ["recon srv/ann 1 300001 2"],
  },
  {
    name: "temporal_ordered with not: one in the window, wherever",
    rules: ORDERED_NOT,
    events: [cmd(0, "b"), cmd(1, "a"), cmd(5 * MINUTE, "c")],
    want: [],
  },
  {
    name: "temporal_ordered with not: out of order",
    rules: ORDERED_NOT,
    events: [cmd(0, "c"), cmd(1, "a")],
    want: [],
  },
  {
    name: "a rule by id and one by name",
    rules: ids,
    events: [
      [0, here],
      [0, { ...here, User: "ann" }],
      [MINUTE, { id: 4624, User: "ann" }],
    ] as At[],
    want: ["by_id ann 0 60000 2"],
  },
  {
    name: "a rule by id and one by name: only one matches",
    rules: ids,
    events: [[0, { ...here, User: "ann" }]] as At[],
    want: [],
  },
  {
    name: "value_sum: one byte more than a million",
    rules: sum,
    events: [web(0, 400_000), web(HOUR, 600_001)],
    want: ["exfiltration 10.0.0.1/ann 0 3600000 2"],
  },
  {
    name: "value_sum: a million",
    rules: sum,
    events: [web(0, 400_000), web(HOUR, 600_000)],
    want: [],
  },
  {
    name: "value_sum: one millisecond too wide",
    rules: sum,
    events: [web(0, 400_000), web(HOUR + 1, 600_001)],
    want: [],
  },
  {
    name: "value_sum: by two users",
    rules: sum,
    events: [web(0, 400_000), web(1, 600_001, "bob")],
    want: [],
  },
  {
    name: "value_sum: numbers as text and in a list count, other text does not",
    rules: sum,
    events: [web(0, "400000"), web(1, [300_000, "300000.5"]), web(2, "1 MB"), web(3, "many")],
    want: ["exfiltration 10.0.0.1/ann 0 1 2"],
  },
  {
    name: "value_sum: a negative number takes away",
    rules: sum,
    events: [web(0, -1), web(HOUR, 1_000_001)],
    want: [],
  },
  {
    name: "value_avg: above 500",
    rules: average,
    events: [web(0, 400), web(24 * HOUR, 601)],
    want: ["traffic 10.0.0.1/ann 0 86400000 2"],
  },
  { name: "value_avg: 500", rules: average, events: [web(0, 400), web(24 * HOUR, 600)], want: [] },
  {
    name: "value_avg: the low one is a millisecond too far",
    rules: average,
    events: [web(0, 400), web(24 * HOUR + 1, 600)],
    want: ["traffic 10.0.0.1/ann 86400001 86400001 1"],
  },
  {
    name: "value_median: between the middle two",
    rules: median,
    events: [web(0, 0), web(0, 400), web(0, 600.1), web(0, 9000)],
    want: ["traffic 10.0.0.1/ann 0 0 4"],
  },
  {
    name: "value_median: 500",
    rules: median,
    events: [web(0, 0), web(0, 400), web(0, 600), web(0, 9000)],
    want: [],
  },
  {
    name: "value_percentile with a percentile: at the last but one of eleven",
    rules: percentile,
    events: [...Array.from({ length: 10 }, () => web(0, 1)), web(0, 9000)],
    want: [],
  },
  {
    name: "value_percentile with a percentile: just above",
    rules: percentile,
    events: [...Array.from({ length: 9 }, () => web(0, 1)), web(0, 4992)],
    want: ["traffic 10.0.0.1/ann 0 0 10"],
  },
  {
    name: "value_percentile with a percentile: at the bound",
    rules: percentile,
    events: [...Array.from({ length: 9 }, () => web(0, 1)), web(0, 4991)],
    want: [],
  },
  {
    name: "value_percentile: one process in a hundred",
    rules: rare,
    events: processes(99, 1),
    want: ["rare srv 0 86400000 100"],
  },
  { name: "value_percentile: one in 99", rules: rare, events: processes(98, 1), want: [] },
  { name: "value_percentile: two in a hundred", rules: rare, events: processes(98, 2), want: [] },
  {
    name: "aliases: the same two addresses, the other way round",
    rules: aliases,
    events: [error(0), connection(10 * SECOND, "10.0.0.1", "9.9.9.9")],
    want: ["both 10.0.0.1/9.9.9.9 0 10000 2"],
  },
  {
    name: "aliases: one millisecond too wide",
    rules: aliases,
    events: [error(0), connection(10 * SECOND + 1, "10.0.0.1", "9.9.9.9")],
    want: [],
  },
  {
    name: "aliases: the addresses as the other rule names them",
    rules: aliases,
    events: [error(0), connection(1, "9.9.9.9", "10.0.0.1")],
    want: [],
  },
  {
    name: "a chain: ten failures, then a success",
    rules: followed,
    events: [...failures(10), success(lastAt + 10 * MINUTE)],
    want: ["followed ann 600000 1200000 2"],
  },
  {
    name: "a chain: nine failures",
    rules: followed,
    events: [...failures(9), success(lastAt)],
    want: [],
  },
  {
    name: "a chain: the success one millisecond too late",
    rules: followed,
    events: [...failures(10), success(lastAt + 10 * MINUTE + 1)],
    want: [],
  },
  {
    name: "a chain: the success one millisecond before the tenth failure",
    rules: followed,
    events: [...failures(10), success(lastAt - 1)],
    want: [],
  },
  {
    name: "a chain: another user's success",
    rules: followed,
    events: [...failures(10), success(lastAt, "bob")],
    want: [],
  },
])("$name", ({ rules, events, want }) => {
  expect(found(rules, events)).toEqual(want);
});
