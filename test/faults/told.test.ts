// What the fault runs are judged by: each way in which a run can differ from the undisturbed one is seen.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { compared, type Told } from "./told.ts";
import { wallClock } from "./wall-clock.ts";

const finding = (id: string, count = 4) => ({
  ...{ id, fingerprint: "f", rule: "r", group: { User: "a" }, firstMs: 0, lastMs: 9, count },
  evidence: [],
});
const incident = (id: string, count = 4) => ({
  ...{ id, key: "k", number: 1, status: "open", severity: "high", group: { User: "a" }, count },
  ...{ firstMs: 0, lastMs: 9 },
});
const told = (over: Partial<Told> = {}, findings = [finding("f1")], incidents = [incident("i1")]) =>
  ({
    ...{ outcome: { findings, incidents }, events: ["e1 t", "e2 t"], pages: ["i1"], repeats: 0 },
    ...over,
  }) as Told;

test.for([
  { name: "the same", run: told(), doubled: 0, faults: [] },
  {
    name: "a finding is missing",
    run: told({}, []),
    ...{ doubled: 0, faults: ["findings: missing: rule r for a, 4 events (f1)"] },
  },
  {
    name: "a finding is too many",
    run: told({}, [finding("f1"), finding("f2")]),
    ...{ doubled: 1, faults: ["findings: too many: rule r for a, 4 events (f2)"] },
  },
  {
    name: "a finding counts an event twice",
    run: told({}, [finding("f1", 5)]),
    ...{ doubled: 0, faults: ["findings: rule r for a, 4 events (f1): count is 5, not 4"] },
  },
  {
    name: "an incident is too many",
    run: told({}, undefined, [incident("i1"), incident("i2")]),
    ...{ doubled: 1, faults: ["incidents: too many: high for a, 4 events (i2)"] },
  },
  {
    name: "an event is lost",
    run: told({ events: ["e1 t"] }),
    ...{ doubled: 0, faults: ["missing: event e2 t"] },
  },
  {
    name: "an event is stored twice",
    run: told({ events: ["e1 t", "e1 t", "e2 t"] }),
    ...{ doubled: 1, faults: ["too many: event e1 t"] },
  },
  {
    name: "an event's time is judged otherwise",
    run: told({ events: ["e1 t", "e2 t late"] }),
    ...{ doubled: 0, faults: ["missing: event e2 t", "too many: event e2 t late"] },
  },
  {
    name: "nobody is paged",
    run: told({ pages: [] }),
    ...{ doubled: 0, faults: ["missing: page for i1"] },
  },
  {
    name: "somebody is paged twice",
    run: told({ pages: ["i1", "i1"] }),
    ...{ doubled: 1, faults: ["too many: page for i1"] },
  },
  {
    name: "a page is sent again and does not say so",
    run: told({ repeats: 1 }),
    ...{ doubled: 1, faults: ["1 pages repeated without saying so"] },
  },
])("a run against the undisturbed one: $name", ({ run, doubled, faults }) => {
  const found = compared(run, told());
  expect([found.doubled, found.faults]).toEqual([doubled, faults]);
});

test("a process's wall clock jumps and is right again, in its workers too", () => {
  const dir = mkdtempSync(join(tmpdir(), "wache-clock-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const clock = wallClock(dir);
  const worker = join(dir, "worker.mjs");
  const code = `
    import { isMainThread, parentPort, Worker } from "node:worker_threads";
    const mine = [Date.now(), Date.parse(new Date()), Date.parse(Date()), new Date(5).getTime()];
    if (!isMainThread) parentPort.postMessage(mine);
    else new Worker(new URL(import.meta.url)).once("message", (its) => console.log(JSON.stringify([mine, its])));`;
  writeFileSync(worker, code);
  const hoursAhead = (): number[] => {
    const began = Date.now();
    const ran = spawnSync(process.execPath, [clock.nodeArg, worker], { encoding: "utf8" });
    const both = JSON.parse(ran.stdout) as readonly (readonly number[])[];
    const hours = (ms = 0): number => Math.round((ms - began) / 3_600_000) || 0;
    expect(both.map((times) => times[3])).toEqual([5, 5]);
    return both.flatMap(([now, made, said]) => [hours(now), hours(made), hours(said)]);
  };
  expect(hoursAhead()).toEqual([0, 0, 0, 0, 0, 0]);
  clock.jump(3_600_000);
  expect(hoursAhead()).toEqual([1, 1, 1, 1, 1, 1]);
  clock.jump(-3_600_000);
  expect(hoursAhead()).toEqual([-1, -1, -1, -1, -1, -1]);
  clock.right();
  expect(hoursAhead()).toEqual([0, 0, 0, 0, 0, 0]);
});
