// embedded-group.ts — consumer groups inside one process: members share a topic's partitions and are woken by producers.
//
// Holds: one partition is read by one member of a group at a time; a new owner starts at the committed offset, after the
//        old one's batch under way has ended.
import { messageOf } from "../errors.ts";
import type { TopicName } from "../records.ts";
import type { Clock } from "../service.ts";
import type { Batch, BusRecord, ConsumeOptions, Consumer } from "./bus.ts";
import type { Commit, EmbeddedLog, Row } from "./embedded-log.ts";

const BATCH_RECORDS_MAX = 1000;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 5000;

type GroupDeps = {
  readonly log: EmbeddedLog;
  readonly row: (topic: TopicName, partition: number, offset: number) => Row | undefined;
  /** Resolves when durable. */
  readonly commit: (commit: Commit) => Promise<void>;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
};
type Member = {
  readonly options: ConsumeOptions;
  readonly consumer: Consumer;
  loops: Map<number, Loop>;
};
type Loop = { readonly stop: () => void; readonly done: Promise<void>; readonly wake: () => void };

export class EmbeddedGroups {
  readonly #members = new Map<string, Member[]>(); // by group and topic
  readonly #changes = new Map<string, Promise<void>>(); // rebalances of one group go one after the other
  readonly #log: EmbeddedLog;
  readonly #row: GroupDeps["row"];
  readonly #commit: GroupDeps["commit"];
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;

  constructor({ log, row, commit, clock, warn }: GroupDeps) {
    this.#log = log;
    this.#row = row;
    this.#commit = commit;
    this.#clock = clock;
    this.#warn = warn;
  }

  async join(options: ConsumeOptions): Promise<Consumer> {
    const { group, topic } = options;
    const name = `${group} ${topic}`;
    const consumer: Consumer = {
      commit: (partition, next) => this.#commit({ group, topic, partition, next }),
      close: () => this.#change(name, topic, (members) => members.filter((one) => one !== member)),
    };
    const member: Member = { options, consumer, loops: new Map() };
    this.#log.remember(group, topic);
    await this.#change(name, topic, (members) => [...members, member]);
    return consumer;
  }

  wake(rows: readonly Row[]): void {
    for (const members of this.#members.values())
      for (const { options, loops } of members)
        for (const { records } of rows)
          if (records[0]?.topic === options.topic) loops.get(records[0].partition)?.wake();
  }

  async close(): Promise<void> {
    for (const members of [...this.#members.values()])
      for (const { consumer } of [...members]) await consumer.close();
  }

  #change(
    name: string,
    topic: TopicName,
    edit: (members: readonly Member[]) => Member[],
  ): Promise<void> {
    const change = (this.#changes.get(name) ?? Promise.resolve()).then(async () => {
      const before = this.#members.get(name) ?? [];
      const after = edit(before);
      this.#members.set(name, after);
      await this.#rebalance(before, after, topic);
    });
    this.#changes.set(
      name,
      change.catch(() => {}),
    );
    return change;
  }

  async #rebalance(
    before: readonly Member[],
    after: readonly Member[],
    topic: TopicName,
  ): Promise<void> {
    const wanted = new Map<Member, number[]>(after.map((member) => [member, []]));
    for (let p = 0; p < this.#log.topic(topic).spec.partitions; p++) {
      const owner = after[p % after.length];
      if (owner) wanted.get(owner)?.push(p);
    }
    for (const member of new Set([...before, ...after])) {
      const keep = new Set(wanted.get(member) ?? []);
      const leaving = [...member.loops].filter(([p]) => !keep.has(p));
      for (const [p, loop] of leaving) {
        loop.stop();
        member.loops.delete(p);
      }
      await Promise.all(leaving.map(([, loop]) => loop.done));
    }
    for (const [member, partitions] of wanted) {
      await member.options.onAssigned?.(partitions, member.consumer);
      for (const p of partitions)
        if (!member.loops.has(p)) member.loops.set(p, this.#loop(member, p));
    }
  }

  #loop({ options, consumer }: Member, partition: number): Loop {
    let stopped = false;
    const stopping = new AbortController();
    let wakeUp: (() => void) | undefined;
    const wake = () => wakeUp?.();
    const run = async () => {
      let position = this.#log.committed(options.group, options.topic, partition);
      while (!stopped) {
        const records = this.#readable(options, partition, position);
        if (records === undefined) {
          await this.#clock.sleep(RETRY_MOST_MS, stopping.signal);
          continue;
        }
        const last = records.at(-1);
        if (!last) {
          await new Promise<void>((resolve) => (wakeUp = resolve));
          wakeUp = undefined;
          continue;
        }
        const handled = await this.#handle(
          options,
          { topic: options.topic, partition, records },
          consumer,
          () => stopped,
        );
        if (handled) position = last.offset + 1;
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    };
    const stop = () => {
      stopped = true;
      stopping.abort();
      wake();
    };
    return { stop, wake, done: run() };
  }

  /** Undefined where the disk does not give them. */
  #readable(options: ConsumeOptions, partition: number, position: number): BusRecord[] | undefined {
    try {
      return this.#records(options, partition, position);
    } catch (error) {
      this.#warn(
        `${options.group} can't read ${options.topic}/${partition} at ${position}, trying again every ${RETRY_MOST_MS / 1000} s: ${messageOf(error)}`,
      );
      return undefined;
    }
  }

  #records(options: ConsumeOptions, partition: number, position: number): BusRecord[] {
    const most = options.batchRecordsMax ?? BATCH_RECORDS_MAX;
    const end = this.#log.end(options.topic, partition);
    const records: BusRecord[] = [];
    for (let offset = position; offset < end && records.length < most; ) {
      const row = this.#row(options.topic, partition, offset);
      if (!row) break;
      for (const record of row.records)
        if (record.offset >= offset && records.length < most) records.push(record);
      offset = (records.at(-1)?.offset ?? row.first + row.records.length - 1) + 1;
    }
    return records;
  }

  /** The same batch again until the handler takes it; false when the partition was taken away meanwhile. */
  async #handle(
    options: ConsumeOptions,
    batch: Batch,
    consumer: Consumer,
    stopped: () => boolean,
  ): Promise<boolean> {
    for (let wait = RETRY_FIRST_MS; !stopped(); wait = Math.min(wait * 2, RETRY_MOST_MS)) {
      try {
        await options.onBatch(batch, consumer);
        return true;
      } catch (error) {
        this.#warn(
          `${options.group} on ${batch.topic}/${batch.partition}: ${messageOf(error)}; trying again`,
        );
        await this.#clock.sleep(wait);
      }
    }
    return false;
  }
}
