// memory-group.ts — consumer groups of the memory bus: who reads which partition, as Kafka does it.
//
// Holds: after each change every member is told its partitions, each at its own time; until then it goes on as before,
//        though what it commits does not count any more. What follows starts at what the group committed.
import type { Batch, ConsumeOptions, Consumer } from "../../core/bus/bus.ts";
import type { TopicName } from "../../core/records.ts";
import type { MemoryLog } from "./memory-log.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

const BATCH_RECORDS_MAX = 1000;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 5000;
const SESSION_MS_MAX = 6000; // a member that died has left by then
const TOLD_MS_MAX = 3000; // of a change
const OUT_MS_MAX = 10_000; // before a member that was put out comes back

type Parts = {
  readonly name: string;
  readonly topic: TopicName;
  readonly log: MemoryLog;
  readonly world: World;
};

export class Group {
  readonly name: string;
  readonly topic: TopicName;
  readonly log: MemoryLog;
  readonly world: World;
  generation = 0;
  #members: Member[] = [];
  #owners: (Member | undefined)[] = [];

  constructor({ name, topic, log, world }: Parts) {
    this.name = name;
    this.topic = topic;
    this.log = log;
    this.world = world;
  }

  join(member: Member): void {
    this.#members = [...this.#members, member];
    this.#rebalance();
  }

  leave(member: Member): void {
    if (!this.#members.includes(member)) return;
    this.#members = this.#members.filter((one) => one !== member);
    this.#rebalance();
  }

  /** It died, or it cannot be heard: the group sees that later. */
  lose(member: Member): void {
    const ms = this.world.isRough ? this.world.chance.int(0, SESSION_MS_MAX) : 0;
    this.world.scheduler.after(ms, () => this.leave(member));
  }

  kick(): void {
    if (this.#members.length === 0) return;
    const member = this.world.chance.one(this.#members);
    this.leave(member);
    this.world.scheduler.after(this.world.chance.int(0, OUT_MS_MAX), () => {
      if (member.isOpen) this.join(member);
    });
  }

  owns(member: Member, partition: number): boolean {
    return this.#owners[partition] === member;
  }

  isCaughtUp(): boolean {
    return this.#owners.every(
      (owner, partition) =>
        owner?.isDoneWith(partition, this.log.end(this.topic, partition)) === true,
    );
  }

  #rebalance(): void {
    const { chance, scheduler, isRough } = this.world;
    this.generation += 1;
    const partitions = this.log.spec(this.topic).partitions;
    const members = isRough ? chance.shuffled(this.#members) : this.#members;
    this.#owners = Array.from({ length: partitions }, (_, p) => members[p % members.length]);
    scheduler.note(
      `${this.name}: ${this.#owners.map((owner) => owner?.name ?? "nobody").join(" ")}`,
    );
    const { generation } = this;
    for (const member of this.#members) {
      const mine = this.#owners.flatMap((owner, p) => (owner === member ? [p] : []));
      scheduler.after(isRough ? chance.int(0, TOLD_MS_MAX) : 0, () => {
        if (generation === this.generation) void member.assigned(generation, mine);
      });
    }
  }
}

export class Member implements Consumer {
  readonly #options: ConsumeOptions;
  readonly #group: Group;
  readonly #process: Process;
  readonly #done = new Map<number, number>(); // by partition: the offset up to which it was taken
  readonly #underWay = new Set<Promise<unknown>>();
  #closing = false;
  #stops: (() => void)[] = [];
  #generation = 0;

  constructor(
    options: ConsumeOptions,
    { group, process }: { readonly group: Group; readonly process: Process },
  ) {
    this.#options = options;
    this.#group = group;
    this.#process = process;
    process.atEnd(() => {
      this.#stop();
      group.lose(this);
    });
  }

  get name(): string {
    return this.#process.name;
  }

  get isOpen(): boolean {
    return this.#process.isAlive && !this.#closing;
  }

  isDoneWith(partition: number, end: number): boolean {
    const isCurrent = this.isOpen && this.#generation === this.#group.generation;
    return isCurrent && this.#underWay.size === 0 && this.#done.get(partition) === end;
  }

  async commit(partition: number, nextOffset: number): Promise<void> {
    const { world, log, topic, name } = this.#group;
    await this.#process.step(`commit ${name}/${partition} ${nextOffset}`);
    if (world.nowMs < world.busAwayUntilMs || world.comes("commit fails"))
      throw new Error("the bus did not answer");
    const isCurrent = this.#generation === this.#group.generation;
    if (!isCurrent || !this.#group.owns(this, partition)) {
      world.scheduler.note("a commit too late");
      return;
    }
    log.commit(name, { topic, partition, next: nextOffset });
    if (world.comes("commit fails, kept")) throw new Error("the bus did not answer");
    await this.#process.step("committed");
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#stop();
    await Promise.all(this.#underWay);
    this.#group.leave(this);
  }

  /** The whole of what it reads from now on. */
  async assigned(generation: number, partitions: readonly number[]): Promise<void> {
    if (!this.isOpen) return;
    this.#stop();
    this.#generation = generation;
    await Promise.all(this.#underWay);
    const isStale = () => !this.isOpen || this.#generation !== generation;
    if (isStale()) return;
    const told = async () => this.#options.onAssigned?.([...partitions], this);
    if (!(await this.#untilTaken(told, isStale)) || isStale()) return;
    for (const partition of partitions) void this.#read(partition, isStale);
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  async #read(partition: number, isStale: () => boolean): Promise<void> {
    const { log, topic, name, world } = this.#group;
    let position = Math.max(
      log.committed(name, topic, partition) ?? 0,
      log.start(topic, partition),
    );
    this.#done.set(partition, position);
    while (!isStale()) {
      await this.#process.step("fetch");
      const most = Math.min(this.#options.batchRecordsMax ?? BATCH_RECORDS_MAX, batchMax(world));
      const isAway = world.nowMs < world.busAwayUntilMs;
      const records = isAway ? [] : log.from(topic, partition, { offset: position, max: most });
      const last = records.at(-1);
      if (isAway) await this.#process.clock.sleep(RETRY_FIRST_MS);
      else if (last === undefined)
        await log.appended(topic, partition, (wake) => this.#stops.push(wake));
      else if (await this.#deliver({ topic, partition, records }, isStale)) {
        position = last.offset + 1;
        if (!isStale()) this.#done.set(partition, position);
      }
    }
  }

  async #deliver(batch: Batch, isStale: () => boolean): Promise<boolean> {
    const call = () => this.#options.onBatch(batch, this);
    const work = this.#untilTaken(call, isStale);
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** Calls again while it rejects; false when a change of the group ended that. */
  async #untilTaken(call: () => Promise<void>, isStale: () => boolean): Promise<boolean> {
    for (let ms = RETRY_FIRST_MS; !isStale(); ms = Math.min(ms * 2, RETRY_MOST_MS)) {
      try {
        await call();
        return true;
      } catch {
        await this.#process.clock.sleep(ms);
      }
    }
    return false;
  }
}

/** Mostly all that is there, at times a few. */
const batchMax = ({ chance, isRough, fetchMax }: World): number =>
  fetchMax ?? (isRough && chance.is(0.15) ? chance.int(1, 4) : BATCH_RECORDS_MAX);
