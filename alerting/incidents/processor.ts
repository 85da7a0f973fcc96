// processor.ts — keeps the incidents of one partition: all grouping keys that casework brings to it.
//
// In:    wache.casework: findings with their grouping key, commands of people.
// Out:   wache.incidents, each changed incident whole; wache.notifications, what is to be sent.
// Holds: the outputs follow from the records and the routes alone; memory is bounded: closed incidents are forgotten after
//        `closedKeepMs` (their findings' ids stay longer), and where too many are open the one untouched longest is closed.
// Why:   time is the bus's time stamps, which a replay repeats.
import type { BusRecord, OutRecord } from "../../core/bus/bus.ts";
import { deadLetterOf } from "../../core/dead-letter.ts";
import type { Processor, SnapshotPart } from "../../core/processor.ts";
import { type CaseworkRecord, type Incident, TOPIC } from "../../core/records.ts";
import type { Route } from "../routing/routes.ts";
import {
  applyCommand,
  applyFinding,
  type Change,
  isOpen,
  newThread,
  type Thread,
  withIncidents,
} from "./incident.ts";
import { pagesFor } from "./paging.ts";
import { readSnapshot, type State, writeSnapshot } from "./snapshot.ts";
import { timelineWith } from "./timeline.ts";

export type Bounds = {
  readonly openMax: number; // keys with an open incident
  readonly closedMax: number; // keys whose incidents are all closed, kept in full
  readonly closedKeepMs: number;
  readonly formerMax: number; // keys of which only the findings' ids are left
  readonly formerFindingsMax: number; // ids of each
};
export const boundsByDefault: Bounds = {
  openMax: 5000,
  closedMax: 2000,
  closedKeepMs: 30 * 24 * 3600_000,
  formerMax: 50_000,
  formerFindingsMax: 20,
};

export class IncidentsProcessor implements Processor {
  readonly #state: State;
  readonly #routes: readonly Route[];
  readonly #bounds: Bounds;

  constructor(
    routes: readonly Route[],
    parts: readonly SnapshotPart[] | undefined,
    bounds: Bounds = boundsByDefault,
  ) {
    this.#routes = routes;
    this.#bounds = bounds;
    this.#state = readSnapshot(parts ?? []);
  }

  process(record: BusRecord, out: OutRecord[]): void {
    const value = record.value as CaseworkRecord | undefined | null;
    switch (value?.kind) {
      case "case": {
        const thread = this.#threadOf(value.key) ?? newThread(value.key, this.#state.numberBase);
        this.#keep(applyFinding(thread, value), { nowMs: record.timestampMs, out });
        break;
      }
      case "command": {
        const thread = this.#threadOf(value.key);
        if (thread !== undefined)
          this.#keep(applyCommand(thread, value), { nowMs: record.timestampMs, out });
        break;
      }
      case "tick":
        break;
      default: {
        const why = { code: "alerting.bad-case", reason: "incidents: the record is no casework" };
        out.push(deadLetterOf(record, why, record.timestampMs));
        return;
      }
    }
    this.#forget(record.timestampMs, out);
  }

  snapshot(): Iterable<SnapshotPart> {
    return writeSnapshot(this.#state);
  }

  /** For metrics: open incidents, and how many were closed because there were too many. */
  counts(): { readonly open: number; readonly closedByBound: number } {
    return { open: this.#state.open.size, closedByBound: this.#state.closedByBound };
  }

  #threadOf(key: string): Thread | undefined {
    const { open, closed, former } = this.#state;
    return open.get(key) ?? closed.get(key) ?? former.get(key);
  }

  #keep(change: Change, { nowMs, out }: { nowMs: number; out: OutRecord[] }): void {
    let { thread } = change;
    for (const incident of change.changed) {
      out.push({ topic: TOPIC.incidents, key: thread.key, value: incident });
      thread = this.#page(thread, incident, out);
    }
    if (thread === this.#threadOf(thread.key)) return;
    this.#place(thread, nowMs);
  }

  #page(thread: Thread, incident: Incident, out: OutRecord[]): Thread {
    const incidents = thread.incidents.map((state) => {
      if (state.incident !== incident) return state;
      const { paged, notifications } = pagesFor(state, this.#routes);
      for (const value of notifications)
        out.push({ topic: TOPIC.notifications, key: thread.key, value });
      return { ...state, paged };
    });
    return { ...thread, incidents };
  }

  #place(thread: Thread, nowMs: number): void {
    const { open, closed, former } = this.#state;
    for (const map of [open, closed, former]) map.delete(thread.key);
    if (thread.incidents.some(({ incident }) => isOpen(incident.status)))
      open.set(thread.key, thread);
    else if (thread.incidents.length > 0) closed.set(thread.key, { ...thread, closedMs: nowMs });
    else former.set(thread.key, thread);
  }

  #forget(nowMs: number, out: OutRecord[]): void {
    const { open, closed, former } = this.#state;
    const { openMax, closedMax, closedKeepMs, formerMax } = this.#bounds;
    for (const thread of oldest(open, () => open.size > openMax))
      this.#place(this.#closeForRoom(thread, { nowMs, out }), nowMs);
    const isDue = ({ closedMs }: { readonly closedMs: number }): boolean =>
      closed.size > closedMax || nowMs - closedMs > closedKeepMs;
    for (const thread of oldest(closed, isDue)) {
      closed.delete(thread.key);
      former.set(thread.key, this.#reduced(thread));
    }
    for (const thread of oldest(former, () => former.size > formerMax)) {
      former.delete(thread.key);
      this.#state.numberBase = Math.max(this.#state.numberBase, thread.number);
    }
  }

  #closeForRoom(thread: Thread, { nowMs, out }: { nowMs: number; out: OutRecord[] }): Thread {
    const text = `Closed by Wache: more than ${this.#bounds.openMax} incidents are open, and this one was untouched longest`;
    const changed = thread.incidents
      .map(({ incident }) => incident)
      .filter(({ status }) => isOpen(status))
      .map((incident): Incident => {
        const timeline = timelineWith(incident.timeline, [{ atMs: nowMs, kind: "closed", text }]);
        const revision = incident.revision + 1;
        return { ...incident, status: "closed", revision, updatedMs: nowMs, timeline };
      });
    for (const value of changed) out.push({ topic: TOPIC.incidents, key: thread.key, value });
    this.#state.closedByBound += changed.length;
    return withIncidents(thread, changed);
  }

  /** What is left of a key when its incidents are forgotten: the ids that must not open one again. */
  #reduced(thread: Thread): Thread {
    const ids = [...thread.known]
      .sort(([idA, a], [idB, b]) => a.lastMs - b.lastMs || (idA < idB ? -1 : 1))
      .slice(-this.#bounds.formerFindingsMax);
    const [oldestKept] = ids;
    const floorMs =
      ids.length < thread.known.size ? (oldestKept?.[1].lastMs ?? thread.floorMs) : thread.floorMs;
    return { ...thread, incidents: [], commands: [], known: new Map(ids), floorMs };
  }
}

function* oldest<T>(map: ReadonlyMap<string, T>, isDue: (first: T) => boolean): Generator<T> {
  for (const value of map.values()) {
    if (!isDue(value)) return;
    yield value;
  }
}
