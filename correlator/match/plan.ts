// plan.ts — everything that rules ask of the events of one set of log sources, as one shared index.
//
// In:    an event.
// Out:   the rules that it satisfies.
// Holds: equal predicates are answered once an event, whatever number of rules use them; a rule is looked at only when
//        what it cannot do without has fired. The answers are those of plain.ts.
// Why:   of a rule only the part that is least likely is looked for in every event; the rest is asked when that was found.
//        What is least likely is guessed at first, and then seen.
import type { DetectionRule } from "../sigma/rule.ts";
import { withOne } from "../with-one.ts";
import { Conditions, type Test } from "./conditions.ts";
import { coverOf, type Weighing } from "./cover.ts";
import { BETWEEN, FieldIndex } from "./field-index.ts";
import { KeywordGuard } from "./keyword-guard.ts";
import { KEYWORD, type Leaf, Leaves, type Shared } from "./leaves.ts";
import type { Match, Readable } from "./matcher.ts";
import { selectionsOf } from "./selections.ts";
import { SeenRuns } from "./substrings.ts";
import { joinedTextsOf, textsOfEvent, VALUE_CHARS_MAX } from "./values.ts";

const RULES_A_STEP = 50;
const LEARN_EVENTS = 300; // of the plan: what texts look like; then all is weighed by what was seen
const LOOK_EVERY_EVENTS = 30_000; // afterwards: once more in any case, then where rules are woken more often
const WORSE = 2; // times as many woken as before are a reason to weigh again
const LOOKS_MANY = 1; // an event: closer looks at a field's values that found nothing, mostly

type Compiled = {
  readonly rule: DetectionRule;
  readonly test: Test;
  readonly selections: readonly { readonly name: string; readonly test: Test }[];
};

/** What is looked for in every event, and whom it wakes. */
type Watch = {
  readonly wakes: readonly (readonly number[] | undefined)[]; // by id: the places of rules that wait for it
  readonly always: readonly number[]; // the places of rules that wait for nothing
  readonly leaves: ReadonlySet<Leaf>; // that the index looks for
  readonly built: ReadonlyMap<number, Built>; // by slot
};
type Built = {
  readonly ids: string;
  readonly learnt: number;
  readonly madeAt: number; // events
  readonly index: FieldIndex;
  readonly guard: KeywordGuard | undefined; // of keywords
};
const NOTHING: Watch = { wakes: [], always: [], leaves: new Set(), built: new Map() };

export class Plan {
  readonly #rules: Compiled[] = [];
  readonly #covers: (readonly number[] | undefined)[] = []; // by rule: the ids that it waits for
  readonly #leaves: Leaves;
  readonly #shared: Shared;
  #watch = NOTHING;
  #weighing: Generator<void> | undefined; // on its way, a step with each event
  #fields: (FieldIndex | undefined)[] = []; // by slot
  #keywords: Built | undefined;
  #fires: number[] = []; // by id: in how many events
  readonly #runs = new SeenRuns();
  #wokenAt: number[] = []; // by rule: the stamp of the event in which it was woken last
  #woken = new Int32Array(0); // the places of rules to try, each once
  #wokenCount = 0;
  #seen: number[] = []; // by id: of how many events that was so to be seen
  #events = 0;
  #wakings = 0; // of rules, since it was looked at last
  #wakingsBefore: number | undefined; // an event, when it was at its best
  #weighedAt = 0;

  /** To be prepared before the first match. */
  constructor(shared: Shared) {
    this.#shared = shared;
    this.#leaves = new Leaves(shared);
  }

  /** Takes the rules in, in steps of some milliseconds at most; between two of them other work can be done. */
  *prepare(rules: readonly DetectionRule[]): Generator<void> {
    const conditions = new Conditions(this.#leaves);
    for (const [place, rule] of rules.entries()) {
      this.#rules.push({
        rule,
        test: conditions.testOf(rule.condition),
        selections: selectionsOf(rule.condition).map((one) => ({
          name: one.name,
          test: conditions.testOf(one),
        })),
      });
      if (place % RULES_A_STEP === 0) yield;
    }
    this.#fires = this.#leaves.priors.map(() => 0);
    this.#seen = this.#leaves.priors.map(() => 0);
    this.#wokenAt = rules.map(() => 0);
    this.#woken = new Int32Array(rules.length);
    yield* this.#weigh();
  }

  match(event: Readable, json?: string): readonly Match[] {
    const leaves = this.#leaves;
    this.#events += 1;
    this.#wokenCount = 0;
    for (const place of this.#watch.always) this.#woken[this.#wokenCount++] = place;
    for (const slot of leaves.read(event)) {
      const present = leaves.present[slot];
      if (present !== undefined) this.fire(present);
      const field = this.#fields[slot];
      if (field) this.#find(field, slot);
    }
    if (this.#keywords) this.#scanKeywords(this.#keywords, event, json);
    if (this.#events < LEARN_EVENTS) this.#learn(event);
    const matched = this.#wokenCount === 0 ? NONE : this.#matched(event);
    this.#wakings += this.#wokenCount;
    if (this.#isTimeToWeigh()) this.#weighing = this.#weigh();
    if (this.#weighing?.next().done) this.#weighing = undefined;
    return matched;
  }

  #find(field: FieldIndex, slot: number): void {
    const known = this.#leaves.known(slot);
    if (!known) {
      field.scan(this.#leaves.reader.value(slot), this);
      return;
    }
    if (!known.ids) {
      const ids = new Set<number>();
      field.scan(this.#leaves.reader.value(slot), { fire: (id) => ids.add(id) });
      known.ids = [...ids];
    }
    for (const id of known.ids) this.fire(id);
  }

  #scanKeywords({ index, guard }: Built, event: Readable, json: string | undefined): void {
    if (json !== undefined && guard?.mayHold(json) === false) return;
    const joined = index.isJoinable ? joinedTextsOf(event, BETWEEN) : undefined;
    if (joined === "") return;
    if (joined !== undefined && joined.length <= VALUE_CHARS_MAX) index.scan(joined, this);
    else for (const text of this.#leaves.texts()) index.scan(text, this);
  }

  #isTimeToWeigh(): boolean {
    if (this.#events === LEARN_EVENTS) return true;
    if (this.#events % LOOK_EVERY_EVENTS !== 0) return false;
    const wakings = this.#wakings / LOOK_EVERY_EVENTS;
    const before = this.#wakingsBefore;
    this.#wakings = 0;
    this.#wakingsBefore = Math.min(wakings, before ?? wakings);
    return before === undefined || wakings > WORSE * Math.max(1, before);
  }

  #learn(event: Readable): void {
    for (const text of textsOfEvent(event)) {
      this.#shared.haystack.take(text);
      this.#runs.take(this.#shared.haystack.bytes, this.#shared.haystack.length);
    }
  }

  /** What a rule waits for is there. */
  fire(id: number): void {
    const { fired, stamp } = this.#leaves;
    if (fired[id] === stamp) return;
    fired[id] = stamp;
    this.#fires[id] = (this.#fires[id] as number) + 1;
    const wakes = this.#watch.wakes[id];
    if (wakes)
      for (const place of wakes) {
        if (this.#wokenAt[place] === stamp) continue;
        this.#wokenAt[place] = stamp;
        this.#woken[this.#wokenCount++] = place;
      }
  }

  #matched(event: Readable): readonly Match[] {
    let matched: number[] | undefined;
    for (let at = 0; at < this.#wokenCount; at++) {
      const place = this.#woken[at] as number;
      if ((this.#rules[place] as Compiled).test()) matched = withOne(matched, place);
    }
    if (!matched) return NONE;
    const [only] = matched;
    if (only !== undefined && matched.length === 1) return [this.#matchOf(only, event)];
    matched.sort((a, b) => a - b);
    return matched.map((place) => this.#matchOf(place, event));
  }

  #matchOf(place: number, event: Readable): Match {
    const { rule, selections } = this.#rules[place] as Compiled;
    let held: string[] | undefined;
    for (const { name, test } of selections) if (test()) held = withOne(held, name);
    return { rule, event, selections: held ?? NO_NAMES };
  }

  /**
   * Decides what each rule waits for, makes an index of that, and then changes over to it. What was never there could not
   * be awaited for less: it stays, and so does the index of a field of which all stays.
   */
  *#weigh(): Generator<void> {
    const leaves = this.#leaves;
    this.#watched();
    const weighing: Weighing = {
      idOf: (predicate) => {
        const { id, present } = leaves.leafOf(predicate);
        return id ?? present;
      },
      weightOf: (id) =>
        ((this.#fires[id] ?? 0) + (leaves.priors[id] ?? 1) * DOUBT) /
        ((this.#seen[id] ?? 0) + DOUBT),
    };
    const wakes: (number[] | undefined)[] = leaves.priors.map(() => undefined);
    const always: number[] = [];
    for (const [place, { rule }] of this.#rules.entries()) {
      const known = this.#covers[place];
      const cover =
        known && !known.some((id) => (this.#fires[id] ?? 0) > 0)
          ? known
          : coverOf(rule.condition, weighing);
      this.#covers[place] = cover;
      if (!cover) always.push(place);
      for (const id of cover ?? []) {
        const others = wakes[id];
        if (others) others.push(place);
        else wakes[id] = [place];
      }
      if (place % RULES_A_STEP === 0) yield;
    }
    const wanted = leaves.all.filter(
      ({ id, isAskedOften }) => id !== undefined && (isAskedOften || wakes[id] !== undefined),
    );
    const built = new Map<number, Built>();
    for (const [slot, some] of Map.groupBy(wanted, ({ slot: one }) => one))
      built.set(slot, yield* this.#builtOf(slot, some));
    this.#changeTo({ wakes, always, leaves: new Set(wanted), built });
  }

  #changeTo(watch: Watch): void {
    for (const leaf of this.#watch.leaves) leaf.isIndexed = false;
    for (const leaf of watch.leaves) leaf.isIndexed = true;
    for (const [slot, { index }] of watch.built)
      if (this.#watch.built.get(slot)?.index !== index) this.#leaves.forgetKnown(slot);
    this.#fields = [];
    for (const [slot, { index }] of watch.built) if (slot !== KEYWORD) this.#fields[slot] = index;
    this.#keywords = watch.built.get(KEYWORD);
    this.#watch = watch;
  }

  /** Counts the events in which an id would have fired had it been true. */
  #watched(): void {
    this.#seen.forEach((seen, id) => {
      if (this.#watch.wakes[id]) this.#seen[id] = seen + this.#events - this.#weighedAt;
    });
    this.#markAskedOften(this.#events - this.#weighedAt);
    this.#weighedAt = this.#events;
  }

  /** Where a field's leaves together are asked more than every other event, to look for them all at once is cheaper. */
  #markAskedOften(events: number): void {
    const asks = new Map<number, number>(); // by slot
    for (const { slot, asked } of this.#leaves.all) asks.set(slot, (asks.get(slot) ?? 0) + asked);
    for (const leaf of this.#leaves.all) {
      const isOften =
        leaf.asked > events * ASKED_SHARE ||
        (leaf.asked > events * ASKED_AT_ALL &&
          (asks.get(leaf.slot) ?? 0) > events * ASKED_TOGETHER);
      if (isOften && leaf.id !== undefined) leaf.isAskedOften = true;
      leaf.asked = 0;
    }
  }

  /**
   * What looks for these leaves; made anew where others were looked for, or where it was made with fewer events seen and
   * had to look closer too often.
   */
  *#builtOf(slot: number, leaves: readonly Leaf[]): Generator<void, Built> {
    const learnt = Math.min(this.#events, LEARN_EVENTS);
    const ids = leaves.map(({ id }) => id).join();
    const known = this.#watch.built.get(slot);
    if (known?.ids === ids) {
      const looksMax = (this.#events - known.madeAt) * LOOKS_MANY;
      if (known.learnt === learnt || known.index.looks <= looksMax) return known;
    }
    const index = new FieldIndex(this.#shared.haystack);
    for (const { id, literal, predicate } of leaves) {
      if (id === undefined) continue;
      if (literal) index.addLiteral(literal, id);
      else if (predicate.kind === "number") index.addNumber(predicate.value, id);
    }
    yield;
    yield* index.build(this.#runs);
    const guard = slot === KEYWORD ? this.#guardOf(leaves) : undefined;
    if (guard) yield* guard.build(this.#runs);
    return { ids, learnt, madeAt: this.#events, index, guard };
  }

  #guardOf(leaves: readonly Leaf[]): KeywordGuard {
    const { haystack } = this.#shared;
    return new KeywordGuard(
      haystack,
      leaves.map(({ literal }) => literal),
    );
  }
}

const NONE: readonly Match[] = [];
const NO_NAMES: readonly string[] = [];
const ASKED_SHARE = 0.2; // of the events
const ASKED_AT_ALL = 0.003;
const ASKED_TOGETHER = 0.5;
const DOUBT = 20; // how many events the first guess counts for
