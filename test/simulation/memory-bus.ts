// memory-bus.ts — a bus in memory that fails as real ones do: what a process is given of it is a connection.
//
// Holds: the contract of core/bus/bus.ts, which memory-bus.test.ts runs against it. Beyond that it does what Kafka may:
//        a produce is refused, stored in part, stored although it was refused, or stored later than that; a member that
//        was put out of its group goes on for a while, and its commits count for nothing.
import type {
  Bus,
  BusRecord,
  ConsumeOptions,
  Consumer,
  Lag,
  OutRecord,
  TopicSpec,
} from "../../core/bus/bus.ts";
import { partitionOf } from "../../core/bus/partitioner.ts";
import { UserError } from "../../core/errors.ts";
import { TOPIC, type TopicName } from "../../core/records.ts";
import { Group, Member } from "./memory-group.ts";
import { type Appended, MemoryLog } from "./memory-log.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

const RECORD_CHARS_MAX = 16_000_000;
const REFUSED_AFTER_MS = 1000;
const LATER_MS_MAX = 8000;
const READ_AT_ONCE = 200;

type Chunk = {
  readonly topic: TopicName;
  readonly partition: number;
  readonly records: Appended[];
};

export class MemoryBus {
  readonly log = new MemoryLog();
  readonly world: World;
  readonly groups = new Map<string, Group>();
  landing = 0; // produces that are refused, and still to be stored

  constructor(world: World) {
    this.world = world;
  }

  connect(process: Process): Bus {
    return new Connection(this, process);
  }

  /** Makes every topic. */
  ensureTopics(partitions: number): void {
    for (const name of Object.values(TOPIC))
      this.log.ensure({
        ...{ name, partitions, retentionMs: 3_600_000 },
        compacted: name === TOPIC.state || name === TOPIC.incidents,
      });
  }

  group(name: string, topic: TopicName): Group {
    const known = this.groups.get(`${name} ${topic}`);
    if (known) return known;
    const group = new Group({ name, topic, log: this.log, world: this.world });
    this.groups.set(`${name} ${topic}`, group);
    return group;
  }

  store(chunks: readonly Chunk[]): void {
    for (const { topic, partition, records } of chunks)
      this.log.append(topic, partition, records, this.world.nowMs);
  }

  /** Every group is at the end of what it reads, and has nothing under way. */
  isCaughtUp(): boolean {
    return this.behind().length === 0;
  }

  /** Who is not at the end of what it reads. */
  behind(): string[] {
    const groups = [...this.groups.values()].filter((group) => !group.isCaughtUp());
    const landing = this.landing === 0 ? [] : [`${this.landing} produces still to be stored`];
    return [...groups.map(({ name }) => name), ...landing];
  }

  /** What every group has committed is older than the retention; `groups`: how many there are, once all have begun. */
  expire(groups: number): void {
    if (this.groups.size < groups) return;
    const least = new Map<string, { topic: TopicName; partition: number; next: number }>();
    for (const { name, topic } of this.groups.values())
      for (let partition = 0; partition < this.log.spec(topic).partitions; partition++) {
        const next = this.log.committed(name, topic, partition) ?? 0;
        const known = least.get(`${topic} ${partition}`);
        if (known === undefined || next < known.next)
          least.set(`${topic} ${partition}`, { topic, partition, next });
      }
    for (const { topic, partition, next } of least.values()) this.log.trim(topic, partition, next);
  }
}

class Connection implements Bus {
  readonly kind = "kafka";
  readonly #bus: MemoryBus;
  readonly #process: Process;
  readonly #members = new Set<Member>();
  #writing: Promise<unknown> = Promise.resolve(); // calls are written in their order
  #closed = false;

  constructor(bus: MemoryBus, process: Process) {
    this.#bus = bus;
    this.#process = process;
  }

  partitions(topic: TopicName): number {
    return this.#bus.log.spec(topic).partitions;
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    for (const spec of specs) this.#bus.log.ensure(spec);
  }

  async produce(records: readonly OutRecord[]): Promise<void> {
    if (this.#closed) throw new UserError("bus.closed", "the bus is closed");
    if (records.length === 0) return;
    const chunks = this.#chunks(records);
    const written = this.#writing.then(() => this.#write(chunks));
    this.#writing = written.catch(() => {});
    await written;
  }

  async consume(options: ConsumeOptions): Promise<Consumer> {
    await this.#process.step(`join ${options.group}`);
    const group = this.#bus.group(options.group, options.topic);
    const member = new Member(options, { group, process: this.#process });
    this.#members.add(member);
    group.join(member);
    return member;
  }

  async *read(topic: TopicName, partition: number, fromOffset: number): AsyncGenerator<BusRecord> {
    const end = this.#bus.log.end(topic, partition);
    for (let offset = fromOffset; offset < end; ) {
      await this.#process.step("read");
      if (this.#isAway() || this.#world.comes("read fails"))
        throw new Error("the bus did not answer");
      const records = this.#bus.log.from(topic, partition, { offset, end, max: READ_AT_ONCE });
      yield* records;
      offset = (records.at(-1)?.offset ?? end) + 1;
    }
  }

  async lag(groups: Parameters<Bus["lag"]>[0]): Promise<Lag[]> {
    return groups.flatMap(({ group, topic }) =>
      Array.from({ length: this.partitions(topic) }, (_, partition) => ({
        ...{ group, topic, partition },
        committed: this.#bus.log.committed(group, topic, partition) ?? 0,
        end: this.#bus.log.end(topic, partition),
      })),
    );
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {
    for (const member of this.#members) await member.close();
    this.#closed = true;
    await this.#writing;
  }

  get #world(): World {
    return this.#bus.world;
  }

  #isAway(): boolean {
    return this.#world.nowMs < this.#world.busAwayUntilMs;
  }

  #chunks(records: readonly OutRecord[]): Chunk[] {
    const chunks = new Map<string, Chunk>();
    let former: { readonly value: unknown; readonly text: string } = { value: null, text: "" };
    for (const { topic, key, value, partition: wanted } of records) {
      if (former.value !== value) former = { value, text: textOf(value) }; // a tick goes to all partitions
      const { text } = former;
      if (text.length > RECORD_CHARS_MAX)
        throw new UserError(
          "bus.record-too-large",
          `a record for ${topic} has ${text.length} characters, the most is ${RECORD_CHARS_MAX}`,
        );
      const partition = wanted ?? partitionOf(key, this.partitions(topic));
      this.#bus.log.end(topic, partition); // refuses one that is not there
      const name = `${topic}/${partition}`;
      const chunk = chunks.get(name);
      if (chunk) chunk.records.push({ key, text });
      else chunks.set(name, { topic, partition, records: [{ key, text }] });
    }
    return [...chunks.values()];
  }

  async #write(chunks: readonly Chunk[]): Promise<void> {
    const world = this.#world;
    await this.#process.step(`produce ${chunks.map(nameOf).join(" ")}`);
    if (this.#isAway()) return this.#refuse();
    if (world.comes("bus refuses")) return this.#refuse();
    if (world.comes("bus stores later")) {
      this.#storeLater(chunks);
      return this.#refuse();
    }
    if (world.comes("bus stores part")) {
      this.#bus.store(world.chance.some(chunks, world.chance.int(0, chunks.length - 1)));
      return this.#refuse();
    }
    this.#bus.store(chunks);
    if (world.comes("bus stores, says no")) return this.#refuse();
    await this.#process.step("produced");
  }

  async #refuse(): Promise<never> {
    await this.#process.clock.sleep(this.#world.chance.int(0, REFUSED_AFTER_MS));
    throw new Error("the bus did not acknowledge");
  }

  /** What a collector sends again after its own crash has another receipt: its former words do not come after that. */
  #storeLater(chunks: readonly Chunk[]): void {
    let open = true;
    this.#bus.landing += 1;
    const land = (): void => {
      if (!open) return;
      open = false;
      this.#bus.landing -= 1;
      this.#bus.store(chunks);
    };
    if (this.#process.crashes === "feeder crash") this.#process.atEnd(land);
    this.#world.scheduler.after(this.#world.chance.int(1, LATER_MS_MAX), land);
  }
}

const textOf = (value: unknown): string => (value === null ? "" : JSON.stringify(value));

const nameOf = ({ topic, partition, records }: Chunk): string =>
  `${topic}/${partition}*${records.length}`;
