import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OutRecord } from "../../core/bus/bus.ts";
import { idOf } from "../../core/event.ts";
import type { Command, Finding, Incident } from "../../core/records.ts";
import { casework, finding, incidentsIn, notificationsIn } from "../fixtures/findings.ts";
import type { Route } from "../routing/routes.ts";
import { boundsByDefault, IncidentsProcessor } from "./processor.ts";

const routes: readonly Route[] = [
  { minLevel: "medium", channels: ["mail"] },
  { minLevel: "critical", channels: ["phone"] },
];

let commands = 0;
const command = (action: Command["action"], change: Partial<Command> = {}): Command => ({
  kind: "command",
  id: `c${++commands}`,
  incident: idOf("fp1", 1),
  by: "ada",
  atMs: 1,
  action,
  ...change,
});
const close = (change: Partial<Command> = {}) =>
  command({ do: "close", reason: "known scanner" }, change);

function run(inputs: readonly (Finding | Command)[], bounds = boundsByDefault) {
  const out: OutRecord[] = [];
  const processor = new IncidentsProcessor(routes, undefined, bounds);
  for (const record of casework(inputs)) processor.process(record, out);
  const last = new Map<string, Incident>();
  for (const incident of incidentsIn(out)) last.set(incident.id, incident);
  const pages = notificationsIn(out).map(
    ({ incident, channel, reason }) => `${incident.number} ${channel} ${reason}`,
  );
  return { out, incidents: [...last.values()], pages, processor };
}

const brief = ({ number, status, severity, count, findings, revision }: Incident) =>
  `${number} ${status} ${severity} ${count} ${findings
    .map(({ id, revision, withdrawn }) => `${id}.${revision}${withdrawn ? "w" : ""}`)
    .join(",")} r${revision}`;

const high = finding().rule;
const low = { ...high, level: "low" as const };
const critical = { ...high, level: "critical" as const };
const imported = { stream: "import-1" };

describe("incidents", () => {
  test.for<{
    name: string;
    inputs: readonly (Finding | Command)[];
    want: readonly string[];
    pages: readonly string[];
  }>([
    { name: "nothing", inputs: [], want: [], pages: [] },
    {
      name: "a finding opens one and pages once",
      inputs: [finding()],
      want: ["1 open high 12 f1.1 r1"],
      pages: ["1 mail opened"],
    },
    {
      name: "the same finding again changes nothing",
      inputs: [finding(), finding(), finding()],
      want: ["1 open high 12 f1.1 r1"],
      pages: ["1 mail opened"],
    },
    {
      name: "the highest revision counts, an older one changes nothing",
      inputs: [finding(), finding({ revision: 3, count: 30 }), finding({ revision: 2, count: 20 })],
      want: ["1 open high 30 f1.3 r2"],
      pages: ["1 mail opened"],
    },
    {
      name: "a backfilled one opens an incident and pages nobody, nor do commands; live ones do",
      inputs: [
        finding({ backfilled: true, rule: critical }),
        command({ do: "acknowledge" }),
        finding({ id: "f2", count: 3 }),
        command({ do: "comment", text: "seen" }),
      ],
      want: ["1 acknowledged critical 15 f1.1,f2.1 r4"],
      pages: ["1 mail opened"],
    },
    {
      name: "a backfilled one pages where its starter asked for it",
      inputs: [finding({ backfilled: true, page: true })],
      want: ["1 open high 12 f1.1 r1"],
      pages: ["1 mail opened"],
    },
    {
      name: "a fuller one that was backfilled takes a live one's place, and nobody is paged again",
      inputs: [
        finding(),
        finding({ id: "f0", revision: 99, backfilled: true, supersedes: ["f1"], rule: critical }),
        finding({ revision: 2, count: 13 }),
      ],
      want: ["1 open critical 12 f0.99 r2"],
      pages: ["1 mail opened"],
    },
    {
      name: "a second finding of the key joins, counts add up, nobody is paged again",
      inputs: [finding(), finding({ id: "f2", count: 3 })],
      want: ["1 open high 15 f1.1,f2.1 r2"],
      pages: ["1 mail opened"],
    },
    {
      name: "a finding replaces those that it names",
      inputs: [finding(), finding({ id: "f2" }), finding({ id: "f3", supersedes: ["f1", "f2"] })],
      want: ["1 open high 12 f3.1 r3"],
      pages: ["1 mail opened"],
    },
    {
      name: "what was replaced stays replaced, also when it comes late or in a newer revision",
      inputs: [
        finding({ id: "f3", supersedes: ["f1"] }),
        finding(),
        finding({ revision: 9, count: 99 }),
      ],
      want: ["1 open high 12 f3.1 r1"],
      pages: ["1 mail opened"],
    },
    {
      name: "what a replaced one replaces is replaced too, also when it says so later",
      inputs: [
        finding(),
        finding({ id: "f2" }),
        finding({ id: "f3", supersedes: ["f1"] }),
        finding({ revision: 2, supersedes: ["f2"] }),
      ],
      want: ["1 open high 12 f3.1 r4"],
      pages: ["1 mail opened"],
    },
    {
      name: "one that was replaced before it came replaces what it names",
      inputs: [
        finding({ id: "f3", revision: 5, supersedes: ["f1"] }),
        finding({ id: "f2" }),
        finding({ supersedes: ["f2"] }),
      ],
      want: ["1 open high 12 f3.5 r3"],
      pages: ["1 mail opened"],
    },
    {
      name: "a withdrawn finding stays, marked, and is not counted beside others",
      inputs: [
        finding(),
        finding({ id: "f2", count: 3 }),
        finding({ revision: 2, withdrawn: true }),
      ],
      want: ["1 open high 3 f1.2w,f2.1 r3"],
      pages: ["1 mail opened"],
    },
    {
      name: "one that was withdrawn before it was seen opens nothing",
      inputs: [finding({ revision: 2, withdrawn: true })],
      want: [],
      pages: [],
    },
    {
      name: "low pages nobody; when it rises, each channel hears of it as opened",
      inputs: [finding({ rule: low }), finding({ revision: 2, rule: high })],
      want: ["1 open high 12 f1.2 r2"],
      pages: ["1 mail opened"],
    },
    {
      name: "who was told high is told of critical, once",
      inputs: [
        finding(),
        finding({ revision: 2, rule: critical }),
        finding({ revision: 3, rule: high }),
        finding({ revision: 4, rule: critical }),
      ],
      want: ["1 open critical 12 f1.4 r4"],
      pages: ["1 mail opened", "1 mail raised", "1 phone opened"],
    },
    {
      name: "an import pages nobody",
      inputs: [finding(imported)],
      want: ["1 open high 12 f1.1 r1"],
      pages: [],
    },
    {
      name: "an import whose sender asked pages once",
      inputs: [finding(imported), finding({ ...imported, revision: 2, page: true })],
      want: ["1 open high 12 f1.2 r2"],
      pages: ["1 mail opened"],
    },
    {
      name: "a new finding after the closing opens the next incident",
      inputs: [finding(), close(), finding({ id: "f2" })],
      want: ["1 closed high 12 f1.1 r2", "2 open high 12 f2.1 r1"],
      pages: ["1 mail opened", "2 mail opened"],
    },
    {
      name: "a revision of a finding in a closed incident updates it there, quietly",
      inputs: [finding(), close(), finding({ revision: 2, count: 40, rule: critical })],
      want: ["1 closed critical 40 f1.2 r3"],
      pages: ["1 mail opened"],
    },
    {
      name: "what replaces a finding of a closed incident stays with it",
      inputs: [finding(), close(), finding({ id: "f2", supersedes: ["f1"] })],
      want: ["1 closed high 12 f2.1 r3"],
      pages: ["1 mail opened"],
    },
    {
      name: "a redelivered finding does not reopen",
      inputs: [finding(), close(), finding()],
      want: ["1 closed high 12 f1.1 r2"],
      pages: ["1 mail opened"],
    },
    {
      name: "one that joins findings of a closed and an open incident goes to the open one",
      inputs: [
        finding(),
        close(),
        finding({ id: "f2" }),
        finding({ id: "f3", supersedes: ["f1", "f2"] }),
      ],
      want: ["1 closed high 12  r3", "2 open high 12 f3.1 r2"],
      pages: ["1 mail opened", "2 mail opened"],
    },
    {
      name: "an acknowledged one takes findings and pages when it grows graver",
      inputs: [
        finding(),
        command({ do: "acknowledge" }),
        finding({ id: "f2", rule: critical, count: 1 }),
      ],
      want: ["1 acknowledged critical 13 f1.1,f2.1 r3"],
      pages: ["1 mail opened", "1 mail raised", "1 phone opened"],
    },
    {
      name: "a command for an incident that is not there does nothing",
      inputs: [close(), finding(), close({ incident: "other" })],
      want: ["1 open high 12 f1.1 r1"],
      pages: ["1 mail opened"],
    },
    {
      name: "a repeated command does nothing",
      inputs: [finding(), close({ id: "same" }), close({ id: "same" })],
      want: ["1 closed high 12 f1.1 r2"],
      pages: ["1 mail opened"],
    },
  ])("$name", ({ inputs, want, pages }) => {
    const got = run(inputs);
    expect(got.incidents.map(brief)).toEqual(want);
    expect(got.pages).toEqual(pages);
  });

  test("commands leave lines in the timeline, also those that come too late", () => {
    const { incidents } = run([
      finding(),
      command({ do: "assign", to: "grace" }),
      command({ do: "comment", text: "looking" }),
      command({ do: "acknowledge" }),
      command({ do: "acknowledge" }),
      close(),
      command({ do: "acknowledge" }),
      command({ do: "assign", to: "eve" }),
      close(),
      command({ do: "comment", text: "it was the scanner" }),
    ]);
    const [{ timeline, assignee, status } = { timeline: [], assignee: "", status: "" }] = incidents;
    expect(timeline.map(({ kind, by, text }) => `${kind} ${by ?? "-"}: ${text}`)).toEqual([
      "opened -: SSH brute force, from 2026-11-23 02:58:00 UTC",
      "assigned ada: Assigned to grace",
      "commented ada: looking",
      "acknowledged ada: Acknowledged",
      "acknowledged ada: Had no effect: the incident was acknowledged already",
      "closed ada: known scanner",
      "acknowledged ada: Had no effect: the incident was closed already",
      "assigned ada: Had no effect: the incident was closed already",
      "closed ada: Had no effect: the incident was closed already",
      "commented ada: it was the scanner",
    ]);
    expect([assignee, status]).toEqual(["grace", "closed"]);
  });
});

describe("bounds", () => {
  test("of too many findings the newest are carried whole, all are counted, and it says so", () => {
    const many = Array.from({ length: 60 }, (_, n) =>
      finding({ id: `f${n}`, firstMs: n, lastMs: n, count: 1 }),
    );
    const [incident] = run(many).incidents;
    expect(incident).toMatchObject({ count: 60, firstMs: 0, lastMs: 59, bounded: true });
    expect(incident?.findings.map(({ id }) => id)).toEqual(many.slice(-20).map(({ id }) => id));
  });

  test("findings beyond those that are known one by one are still counted", () => {
    const many = Array.from({ length: 1200 }, (_, n) =>
      finding({ id: `f${n}`, firstMs: n, lastMs: n, count: 2 }),
    );
    const [incident] = run([...many, ...many.slice(0, 50)]).incidents;
    expect(incident).toMatchObject({ count: 2400, firstMs: 0, lastMs: 1199, bounded: true });
    expect(incident?.revision).toBe(1200);
  });

  test("the timeline keeps its beginning and its newest lines", () => {
    const comments = Array.from({ length: 150 }, (_, n) =>
      command({ do: "comment", text: `n${n}` }),
    );
    const [incident] = run([finding(), ...comments]).incidents;
    const texts = incident?.timeline.map(({ text }) => text) ?? [];
    expect([texts.length, texts[0], texts[1], texts.at(-1)]).toEqual([
      100,
      "SSH brute force, from 2026-11-23 02:58:00 UTC",
      "n51",
      "n149",
    ]);
  });

  test("with too many open, the one untouched longest is closed and says why", () => {
    const inputs = ["a", "b", "c"].map((fingerprint) => finding({ fingerprint, id: fingerprint }));
    const again = finding({ fingerprint: "a", id: "a", revision: 2 });
    const { incidents, processor } = run([...inputs.slice(0, 2), again, ...inputs.slice(2)], {
      ...boundsByDefault,
      openMax: 2,
    });
    expect(incidents.map(({ key, status }) => `${key} ${status}`)).toEqual([
      "a open",
      "b closed",
      "c open",
    ]);
    expect(incidents[1]?.timeline.at(-1)?.text).toMatch(/^Closed by Wache: more than 2 /);
    expect(processor.counts()).toEqual({ open: 2, closedByBound: 1 });
  });

  test("a forgotten incident's finding does not open another, a new one does, with the next number", () => {
    const other = finding({ fingerprint: "other", id: "o" });
    const late = [finding(), finding({ revision: 5 }), finding({ id: "new" })];
    const { out } = run([finding(), close(), other, ...late], {
      ...boundsByDefault,
      closedKeepMs: -1,
    });
    expect(incidentsIn(out).map(({ key, number, status }) => `${key} ${number} ${status}`)).toEqual(
      ["fp1 1 open", "fp1 1 closed", "other 1 open", "fp1 2 open"],
    );
  });

  test("a key that is forgotten altogether never repeats an incident's id", () => {
    const other = finding({ fingerprint: "other", id: "o" });
    const { out } = run([finding(), close(), other, finding({ id: "new" })], {
      ...boundsByDefault,
      closedKeepMs: -1,
      formerMax: 0,
    });
    expect(incidentsIn(out).map(({ key, number }) => `${key} ${number}`)).toEqual([
      "fp1 1",
      "fp1 1",
      "other 2",
      "fp1 2",
    ]);
  });

  test("what is no casework goes to the dead letter", () => {
    const out: OutRecord[] = [];
    const [record] = casework([finding()]);
    if (record === undefined) throw new Error("no record");
    new IncidentsProcessor(routes, undefined).process({ ...record, value: undefined }, out);
    expect(out.map(({ topic, value }) => [topic, (value as { code: string }).code])).toEqual([
      ["wache.dead-letter", "alerting.bad-case"],
    ]);
  });
});

// Findings as a correlator writes them: each id grows by revisions, and may in the end be replaced by a joining one.
const history = fc
  .array(
    fc.record({
      key: fc.constantFrom("fp1", "fp2"),
      id: fc.constantFrom("a", "b", "c"),
      count: fc.integer({ min: 1, max: 5 }),
      replaces: fc.boolean(),
      closes: fc.boolean(),
    }),
    { maxLength: 25 },
  )
  .map((steps) => {
    const newest = new Map<string, Finding>();
    const replaced = new Set<string>();
    return steps.flatMap((step, at): (Finding | Command)[] => {
      const id = `${step.key}-${step.id}`;
      if (replaced.has(id)) return [];
      const old = newest.get(id);
      const supersedes = step.replaces
        ? [...newest.keys()].filter((other) => other.startsWith(step.key) && other !== id)
        : [];
      for (const other of supersedes) {
        replaced.add(other);
        newest.delete(other);
      }
      const next = finding({
        id,
        fingerprint: step.key,
        revision: (old?.revision ?? 0) + 1,
        count: (old?.count ?? 0) + step.count,
        ...(supersedes.length > 0 && { supersedes }),
      });
      newest.set(id, next);
      const closing: Command = {
        ...{ kind: "command", id: `close-${at}`, incident: idOf("fp1", 1), by: "ada", atMs: at },
        action: { do: "close", reason: "done" },
      };
      return step.closes && step.key === "fp1" ? [next, closing] : [next];
    });
  });

const outcome = (inputs: readonly (Finding | Command)[]) => {
  const { incidents, out } = run(inputs);
  return {
    incidents: incidents
      .map(({ id, findings, count, status, severity }) => ({
        id,
        findings,
        count,
        status,
        severity,
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    pages: notificationsIn(out)
      .map(({ id }) => id)
      .sort(),
  };
};

describe("any redelivery", () => {
  test("of earlier records, at any time, changes nothing", () => {
    fc.assert(
      fc.property(
        history,
        fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 30 }),
        (inputs, repeats) => {
          const disturbed = [...inputs];
          for (const [from, gap] of repeats) {
            const source = disturbed[from % Math.max(1, disturbed.length)];
            if (source === undefined) continue;
            const at = (from % disturbed.length) + 1 + (gap % disturbed.length);
            disturbed.splice(at, 0, source);
          }
          expect(outcome(disturbed)).toEqual(outcome(inputs));
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  test("fewer revisions on the way lead to the same incidents and pages", () => {
    fc.assert(
      fc.property(
        history.map((inputs) => inputs.filter(({ kind }) => kind === "finding") as Finding[]),
        (inputs) => {
          const final = inputs.filter(
            ({ id }, at) => !inputs.slice(at + 1).some((later) => later.id === id),
          );
          const replaced = new Set(inputs.flatMap(({ supersedes }) => supersedes ?? []));
          const standing = final
            .filter(({ id }) => !replaced.has(id))
            .map((last) => ({
              ...last,
              supersedes: inputs
                .filter(({ id }) => id === last.id)
                .flatMap(({ supersedes }) => supersedes ?? []),
            }));
          const ids = (got: ReturnType<typeof outcome>) => ({
            pages: got.pages,
            incidents: got.incidents.map(({ id, count, status, findings }) => ({
              ...{ id, count, status, findings: findings.map((one) => one.id) },
            })),
          });
          expect(ids(outcome(standing))).toEqual(ids(outcome(inputs)));
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  test("a snapshot anywhere on the way gives the same outputs after it", () => {
    fc.assert(
      fc.property(history, fc.nat(), (inputs, where) => {
        const records = casework(inputs);
        const cut = where % (records.length + 1);
        const bounds = { ...boundsByDefault, openMax: 1, closedKeepMs: 5000, formerMax: 1 };
        const whole = new IncidentsProcessor(routes, undefined, bounds);
        const wanted: OutRecord[] = [];
        for (const record of records.slice(0, cut)) whole.process(record, []);
        const restored = new IncidentsProcessor(routes, [...whole.snapshot()], bounds);
        expect([...restored.snapshot()]).toEqual([...whole.snapshot()]);
        const got: OutRecord[] = [];
        for (const record of records.slice(cut)) {
          whole.process(record, wanted);
          restored.process(record, got);
        }
        expect(got).toEqual(wanted);
      }),
      { numRuns: 200, seed: 7 },
    );
  });
});
