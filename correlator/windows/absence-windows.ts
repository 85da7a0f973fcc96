// absence-windows.ts — all groups of one absence rule in one stream.
//
// In:    signals, and the watermark as it goes on.
// Out:   findings of what did not come, and the points that feed other correlations: when it should have come.
// Holds: a group that was only seen is forgotten after rememberFor, or when there are too many: then those that were
//        heard longest ago go first, and are counted. A listed group stays.
import { idOf } from "../../core/event.ts";
import type { AbsenceAbout, CorrelationRule, Finding } from "../../core/records.ts";
import {
  type Absence,
  type Awaited,
  awaits,
  came,
  type Due,
  dueOf,
  type Reached,
  settle,
} from "./absence.ts";
import { Agenda } from "./agenda.ts";
import { nameOf } from "./group-name.ts";
import { OldestFirst } from "./oldest-first.ts";
import type { Bounds, Caused, Lost, Match, Room, Taken } from "./rule-windows.ts";
import { aboutOf } from "./severity.ts";

const BUCKETS_A_SPAN = 64;

export class AbsenceWindows {
  rule: CorrelationRule;
  readonly groups = new Map<string, Awaited>();
  beganMs: number | undefined; // since when listed groups are awaited
  watermarkMs = Number.NEGATIVE_INFINITY;
  readonly #stream: string;
  readonly #bounds: Bounds;
  readonly #counts: Lost;
  readonly #room: Room;
  readonly #due: Due;
  readonly #agenda: Agenda;
  readonly #listed: ReadonlySet<string>;
  readonly #oldest = new OldestFirst(this.groups, ({ listed, times }) =>
    listed ? undefined : (times.at(-1) ?? Number.NEGATIVE_INFINITY),
  );

  constructor(
    { stream, rule }: { readonly stream: string; readonly rule: CorrelationRule },
    parts: { readonly bounds: Bounds; readonly counts: Lost; readonly room: Room },
  ) {
    this.rule = rule;
    this.#stream = stream;
    this.#bounds = parts.bounds;
    this.#counts = parts.counts;
    this.#room = parts.room;
    this.#due = dueOf(rule);
    this.#agenda = new Agenda(Math.max(1000, Math.ceil(rule.spanMs / BUCKETS_A_SPAN)));
    this.#listed = new Set((rule.absence?.expected ?? []).map(nameOf));
  }

  /** The same version came again: whom it feeds, and how it is called, may be new. */
  announced(rule: CorrelationRule): void {
    this.rule = rule;
  }

  take({ group: values, member, page, bounded }: Match): Taken {
    const { timeMs, id } = member;
    if (timeMs < this.watermarkMs) return "overdue";
    const name = nameOf(values);
    if (!this.#listed.has(name) && this.rule.absence?.rememberMs === undefined) return "known";
    const group = this.#group(name, values);
    if (!came(this.#due, group, { timeMs, id })) return "known";
    if (page) group.page = true;
    if (bounded) group.bounded = true;
    if (group.times.length > this.#bounds.matchesMax) {
      group.times.shift();
      group.ids.shift();
      delete group.told;
      group.bounded = true;
      this.#counts.forgotten += 1;
      this.#counts.forgottenOf.add(this.rule.about.id);
    }
    this.#lookAt(name, group);
    return "added";
  }

  /** Listed groups are awaited from now on, as far as they belong here; once more where the stream began earlier. */
  begin(atMs: number, isOurs: (values: readonly string[]) => boolean): void {
    if (this.beganMs !== undefined && this.beganMs <= atMs) return;
    this.beganMs = atMs;
    for (const values of this.rule.absence?.expected ?? []) {
      if (!isOurs(values)) continue;
      const name = nameOf(values);
      const group = this.#group(name, values);
      awaits(group, atMs);
      this.#lookAt(name, group);
    }
  }

  advance(to: Reached, caused: Caused): void {
    this.watermarkMs = to.knownMs;
    for (const name of this.#agenda.due(to.knownMs)) {
      const group = this.groups.get(name);
      if (!group) continue;
      const { told, againMs } = settle(this.rule, this.#due, { group, to });
      for (const absence of told) this.#tell(group, absence, caused);
      if (againMs === undefined) this.#delete(name);
      else this.#agenda.put(name, againMs);
    }
  }

  /** Puts back a group from a snapshot. */
  restore(group: Awaited): void {
    const name = nameOf(group.values);
    this.groups.set(name, group);
    this.#oldest.added(name);
    this.#room.groups += 1;
    this.#lookAt(name, group);
  }

  evict(count: number): void {
    for (let gone = 0; gone < count; gone++) {
      const name = this.#oldest.next();
      if (name === undefined) return;
      this.#delete(name);
      this.#counts.evicted += 1;
    }
  }

  #group(name: string, values: readonly string[]): Awaited {
    const known = this.groups.get(name);
    if (known) return known;
    if (this.#room.groups >= this.#bounds.groupsMax) this.#room.make();
    const group: Awaited = { values, listed: this.#listed.has(name), times: [], ids: [] };
    this.groups.set(name, group);
    this.#oldest.added(name);
    this.#room.groups += 1;
    return group;
  }

  /** Nothing that is to be told of it is due before its first time. */
  #lookAt(name: string, { times }: Awaited): void {
    this.#agenda.put(name, times[0] ?? 0);
  }

  #delete(name: string): void {
    this.#agenda.remove(name);
    if (this.groups.delete(name)) this.#room.groups -= 1;
  }

  #tell(group: Awaited, absence: Absence, caused: Caused): void {
    const finding = findingOf(this.#stream, this.rule, { group, absence });
    caused.findings.push(finding);
    if (this.rule.feeds.length > 0 && absence.revision === 1)
      caused.points.push({
        group,
        member: { timeMs: absence.dueMs, id: finding.id, from: 0 },
        bounded: group.bounded === true,
      });
  }
}

function findingOf(
  stream: string,
  rule: CorrelationRule,
  { group, absence }: { readonly group: Awaited; readonly absence: Absence },
): Finding {
  const { sinceId, lastMs, count, revision, end } = absence;
  const { values } = group;
  const firstMs = rule.absence?.deadline ? absence.dueMs : absence.sinceMs;
  return {
    kind: "finding",
    id: idOf(stream, rule.version, ...values, firstMs),
    revision,
    fingerprint: idOf("fingerprint", stream, rule.about.id, ...values),
    stream,
    rule: aboutOf(rule, { values, count }),
    ruleVersion: rule.version,
    group: Object.fromEntries(rule.groupBy.map((name, index) => [name, values[index] ?? ""])),
    ...{ firstMs, lastMs, count },
    evidence: [sinceId, end?.id ?? ""].filter((id) => id !== ""),
    ...(group.bounded && { bounded: true as const }),
    ...(group.page && { page: true as const }),
    absence: aboutAbsence(rule, absence),
  };
}

function aboutAbsence(
  { spanMs, absence: rule }: CorrelationRule,
  { sinceMs, sinceId, dueMs, end }: Absence,
): AbsenceAbout {
  return {
    what: rule?.what ?? [],
    spanMs,
    ...(rule?.deadline && { deadline: rule.deadline }),
    ...(sinceId === "" ? { expectedMs: sinceMs } : { sinceMs }),
    dueMs,
    ...(end && { endedMs: end.atMs }),
    ...(end && end.id === undefined && { forgotten: true as const }),
  };
}
