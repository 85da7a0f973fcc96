// suppression.ts — of a group's episodes, those that follow one that was told too closely are counted, not told.
//
// In:    the findings of one rule in one stream, in any order and revision; the watermark.
// Out:   those of them that are told. An episode is not told when it ends within `suppress` after the last event of the one
//        told before it, and is no graver; that one says how many there were.
// Holds: what is told in the end follows from the set of episodes: they are judged in the order of their beginnings, anew
//        with each change. One that was told and should not have been is withdrawn.
// Why:   an episode that outlasts the span is told then, so that a long attack can't hide behind a short one.
import { type Finding, LEVELS } from "../../core/records.ts";
import { Agenda } from "./agenda.ts";
import { OldestFirst } from "./oldest-first.ts";
import type { Lost, Room } from "./rule-windows.ts";

export type Suppressing = { readonly suppressMs: number; readonly spanMs: number };
type Entry = {
  finding: Finding;
  revision: number; // told last; 0: never
  standing: boolean; // told, and not withdrawn
  isDirty: boolean;
  suppressed: number; // as told
  replaces: readonly { readonly finding: Finding; readonly revision: number }[]; // told, and taken in by this one
};
export type SuppressedGroup = {
  readonly name: string;
  entries: Entry[]; // by their beginning
  folded: number; // episodes after the first entry that are decided and gone
};

export class Suppression {
  readonly groups = new Map<string, SuppressedGroup>();
  readonly #rule: Suppressing;
  readonly #counts: Lost;
  readonly #room: Room;
  readonly #agenda: Agenda;
  readonly #oldest = new OldestFirst(
    this.groups,
    ({ entries }) => entries.at(-1)?.finding.lastMs ?? Number.NEGATIVE_INFINITY,
  );

  constructor(rule: Suppressing, parts: { readonly counts: Lost; readonly room: Room }) {
    this.#rule = rule;
    this.#counts = parts.counts;
    this.#room = parts.room;
    this.#agenda = new Agenda(Math.max(1000, Math.ceil(rule.spanMs / 4)));
  }

  take(findings: readonly Finding[]): Finding[] {
    const out: Finding[] = [];
    const touched = new Set<SuppressedGroup>();
    for (const finding of findings) {
      const group = this.#group(finding.fingerprint);
      keep(group, finding, out);
      touched.add(group);
    }
    for (const group of touched) {
      judge(this.#rule, group, out);
      this.#agenda.put(group.name, group.entries[0]?.finding.lastMs ?? 0);
    }
    return out;
  }

  /** What the watermark has passed is decided: the last count is told, and what can't matter any more is forgotten. */
  advance(watermarkMs: number): Finding[] {
    const out: Finding[] = [];
    for (const name of this.#agenda.due(watermarkMs)) {
      const group = this.groups.get(name);
      if (!group) continue;
      const againMs = settle(this.#rule, group, { watermarkMs, out });
      if (againMs === undefined) this.#delete(name);
      else this.#agenda.put(name, againMs);
    }
    return out;
  }

  restore(group: SuppressedGroup): void {
    this.groups.set(group.name, group);
    this.#oldest.added(group.name);
    this.#room.groups += 1;
    this.#agenda.put(group.name, group.entries[0]?.finding.lastMs ?? 0);
  }

  /**
   * Those whose last episode ended longest ago: their next episode is told again. Gives what may grow from now on: how often
   * it was told is forgotten too, so that a later revision may never count.
   */
  evict(count: number, watermarkMs: number): Finding[] {
    const told: Finding[] = [];
    for (let gone = 0; gone < count; gone++) {
      const name = this.#oldest.next();
      if (name === undefined) return told;
      for (const entry of this.groups.get(name)?.entries ?? []) {
        const { finding, revision, standing, suppressed } = entry;
        if (!standing || finding.lastMs + this.#rule.spanMs < watermarkMs) continue;
        const words = { ...finding, ...(suppressed > 0 && { suppressed }) };
        told.push({ ...words, revision: revision + 1, bounded: true });
      }
      this.#delete(name);
      this.#counts.evicted += 1;
    }
    return told;
  }

  #group(name: string): SuppressedGroup {
    const known = this.groups.get(name);
    if (known) return known;
    const group: SuppressedGroup = { name, entries: [], folded: 0 };
    this.groups.set(name, group);
    this.#oldest.added(name);
    this.#room.groups += 1;
    return group;
  }

  #delete(name: string): void {
    this.#agenda.remove(name);
    if (this.groups.delete(name)) this.#room.groups -= 1;
  }
}

/** Puts a finding's newest revision in its place; those that it replaces go. */
function keep(group: SuppressedGroup, finding: Finding, out: Finding[]): void {
  const gone = group.entries.filter(({ finding: { id } }) => finding.supersedes?.includes(id));
  const known = group.entries.find(({ finding: { id } }) => id === finding.id);
  group.entries = group.entries.filter((entry) => !gone.includes(entry) && entry !== known);
  const replaces = gone.flatMap((entry) => [
    ...entry.replaces,
    ...(entry.standing ? [{ finding: entry.finding, revision: entry.revision }] : []),
  ]);
  if (finding.withdrawn) {
    if (known?.standing) out.push({ ...finding, revision: known.revision + 1 });
    return;
  }
  const entry: Entry = {
    finding: withBefore(finding, known?.finding.supersedes),
    revision: known?.revision ?? 0,
    standing: known?.standing ?? false,
    isDirty: true,
    suppressed: known?.suppressed ?? 0,
    replaces: [...(known?.replaces ?? []), ...replaces],
  };
  group.entries.push(entry);
  group.entries.sort(
    (a, b) => a.finding.firstMs - b.finding.firstMs || (a.finding.id < b.finding.id ? -1 : 1),
  );
}

/** A group that gave way and came again has forgotten what its finding took in. */
function withBefore(finding: Finding, before: readonly string[] = []): Finding {
  const { supersedes = [] } = finding;
  if (before.every((id) => supersedes.includes(id))) return finding;
  return { ...finding, supersedes: [...new Set([...supersedes, ...before])].sort() };
}

/** Decides from the first on which are told, and tells what changed. */
function judge(rule: Suppressing, group: SuppressedGroup, out: Finding[]): void {
  for (const { head, followers } of runsOf(rule, group)) {
    const count = followers.length + (head === group.entries[0] ? group.folded : 0);
    tell(head, roughly(count), out);
    for (const entry of followers) hush(entry, out);
  }
}

/** Each episode that is told, with those after it that are not. */
function runsOf(
  rule: Suppressing,
  { entries }: SuppressedGroup,
): { readonly head: Entry; readonly followers: readonly Entry[] }[] {
  const runs: { readonly head: Entry; readonly followers: Entry[] }[] = [];
  for (const entry of entries) {
    const run = runs.at(-1);
    if (run && follows(rule, run.head, entry)) run.followers.push(entry);
    else runs.push({ head: entry, followers: [] });
  }
  return runs;
}

const follows = ({ suppressMs }: Suppressing, head: Entry, entry: Entry): boolean =>
  entry.finding.lastMs <= head.finding.lastMs + suppressMs && rankOf(entry) <= rankOf(head);

const rankOf = ({ finding }: Entry): number => LEVELS.indexOf(finding.rule.level);

/** While it grows the count is told as it doubles. */
const roughly = (count: number): number => (count === 0 ? 0 : 2 ** Math.floor(Math.log2(count)));

function tell(entry: Entry, suppressed: number, out: Finding[]): void {
  if (entry.standing && !entry.isDirty && suppressed === entry.suppressed) return;
  entry.revision += 1;
  entry.standing = true;
  entry.isDirty = false;
  entry.suppressed = suppressed;
  entry.replaces = [];
  const { finding, revision } = entry;
  out.push({ ...finding, revision, ...(suppressed > 0 && { suppressed }) });
}

function hush(entry: Entry, out: Finding[]): void {
  const wrong = [
    ...entry.replaces,
    ...(entry.standing ? [{ finding: entry.finding, revision: entry.revision }] : []),
  ];
  for (const { finding, revision } of wrong)
    out.push({ ...finding, revision: revision + 1, withdrawn: true });
  if (entry.standing) entry.revision += 1;
  entry.standing = false;
  entry.replaces = [];
}

/** Folds what is decided into the first entry; gives when to look again, nothing where none of it matters any more. */
function settle(
  rule: Suppressing,
  group: SuppressedGroup,
  to: { readonly watermarkMs: number; readonly out: Finding[] },
): number | undefined {
  const isDecided = ({ finding }: Entry): boolean => finding.lastMs + rule.spanMs < to.watermarkMs;
  for (;;) {
    const [head, next] = group.entries;
    if (!head) return undefined;
    if (!isDecided(head)) return head.finding.lastMs + rule.spanMs;
    const last = head.finding.lastMs;
    const isFollower = next !== undefined && follows(rule, head, next);
    if (next && isDecided(next) && isFollower) {
      group.entries.splice(1, 1);
      group.folded += 1;
    } else if (next && isDecided(next)) {
      tell(head, group.folded, to.out);
      group.entries.shift();
      group.folded = 0;
    } else if (next === undefined && last + rule.suppressMs + rule.spanMs < to.watermarkMs) {
      tell(head, group.folded, to.out);
      return undefined;
    } else return next ? next.finding.lastMs + rule.spanMs : last + rule.suppressMs + rule.spanMs;
  }
}
