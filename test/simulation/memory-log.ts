// memory-log.ts — what is durable of a bus, in memory: topics, partitions, what groups committed.
import type { BusRecord, TopicSpec } from "../../core/bus/bus.ts";
import { UserError } from "../../core/errors.ts";
import type { TopicName } from "../../core/records.ts";

type Partition = { records: BusRecord[]; end: number; waiting: (() => void)[] };
type Topic = { readonly spec: TopicSpec; readonly partitions: readonly Partition[] };
export type Appended = { readonly key: string; readonly text: string };

export class MemoryLog {
  readonly #topics = new Map<string, Topic>();
  readonly #committed = new Map<string, number>();
  readonly #ticks = new Map<string, unknown>(); // by text: each is read once, however many partitions have it
  /** Told of every record as it is stored. */
  onRecord: (record: BusRecord) => void = () => {};

  ensure(spec: TopicSpec): void {
    if (this.#topics.has(spec.name)) return;
    const partitions = Array.from({ length: spec.partitions }, () => ({
      records: [],
      end: 0,
      waiting: [],
    }));
    this.#topics.set(spec.name, { spec, partitions });
  }

  spec(name: TopicName): TopicSpec {
    return this.#topic(name).spec;
  }

  end(topic: TopicName, partition: number): number {
    return this.#partition(topic, partition).end;
  }

  /** The offset of the first record that is still there, or of the next one. */
  start(topic: TopicName, partition: number): number {
    const { records, end } = this.#partition(topic, partition);
    return records[0]?.offset ?? end;
  }

  append(
    topic: TopicName,
    partition: number,
    records: readonly Appended[],
    timestampMs: number,
  ): void {
    const into = this.#partition(topic, partition);
    for (const { key, text } of records) {
      const at = { topic, partition, offset: into.end++ };
      const record = new MemoryRecord({ ...at, key, text, timestampMs }, this.#valueOf);
      into.records.push(record);
      this.onRecord(record);
    }
    const { waiting } = into;
    into.waiting = [];
    for (const wake of waiting) wake();
  }

  /** At most `max` records from an offset on, below `end`. */
  from(
    topic: TopicName,
    partition: number,
    range: { readonly offset: number; readonly end?: number; readonly max: number },
  ): BusRecord[] {
    const { records } = this.#partition(topic, partition);
    const end = range.end ?? Number.POSITIVE_INFINITY;
    const out: BusRecord[] = [];
    for (let at = lowerBound(records, range.offset); out.length < range.max; at++) {
      const record = records[at];
      if (record === undefined || record.offset >= end) break;
      out.push(record);
    }
    return out;
  }

  /** Resolves with the next append to the partition, or when `wake` is called. */
  appended(topic: TopicName, partition: number, onWake: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      this.#partition(topic, partition).waiting.push(resolve);
      onWake(resolve);
    });
  }

  committed(group: string, topic: TopicName, partition: number): number | undefined {
    return this.#committed.get(`${group} ${topic} ${partition}`);
  }

  commit(group: string, at: { topic: TopicName; partition: number; next: number }): void {
    this.#committed.set(`${group} ${at.topic} ${at.partition}`, at.next);
  }

  /** Removes the records below an offset. */
  trim(topic: TopicName, partition: number, before: number): void {
    const into = this.#partition(topic, partition);
    into.records = into.records.slice(lowerBound(into.records, before));
  }

  /** Leaves the newest record of each key, and none of a removed one. */
  compact(topic: TopicName): void {
    for (const partition of this.#topic(topic).partitions) {
      const newest = new Map(partition.records.map((record) => [record.key, record]));
      partition.records = partition.records.filter(
        (record) => newest.get(record.key) === record && record.text !== "",
      );
    }
  }

  all(topic: TopicName): BusRecord[] {
    return this.#topic(topic).partitions.flatMap(({ records }) => records);
  }

  readonly #valueOf = (text: string): unknown => {
    if (text === "") return undefined;
    if (!text.startsWith('{"kind":"tick"')) return JSON.parse(text);
    const known = this.#ticks.get(text);
    if (known !== undefined) return known;
    const tick: unknown = Object.freeze(JSON.parse(text));
    this.#ticks.set(text, tick);
    return tick;
  };

  #topic(name: TopicName): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined)
      throw new UserError("bus.unknown-topic", `there is no topic ${name}; ensureTopics makes it`);
    return topic;
  }

  #partition(topic: TopicName, partition: number): Partition {
    const found = this.#topic(topic).partitions[partition];
    if (found === undefined)
      throw new UserError("bus.unknown-partition", `${topic} has no partition ${partition}`);
    return found;
  }
}

function lowerBound(records: readonly BusRecord[], offset: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((records[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

type Bytes = Omit<BusRecord, "value">;

/** Its value is read from its text when first asked for, as with a real bus: nobody shares an object with the sender. */
class MemoryRecord implements BusRecord {
  readonly topic: TopicName;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly text: string;
  readonly timestampMs: number;
  readonly #read: (text: string) => unknown;
  #value: unknown;
  #isRead = false;

  constructor(
    { topic, partition, offset, key, text, timestampMs }: Bytes,
    read: (text: string) => unknown,
  ) {
    this.#read = read;
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.key = key;
    this.text = text;
    this.timestampMs = timestampMs;
  }

  get value(): unknown {
    if (!this.#isRead) {
      this.#value = this.#read(this.text);
      this.#isRead = true;
    }
    return this.#value;
  }
}
