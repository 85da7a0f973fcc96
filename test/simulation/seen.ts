// seen.ts — what was ever durable on the bus, whatever retention removed since.
import type { BusRecord } from "../../core/bus/bus.ts";
import type { EcsEvent } from "../../core/event.ts";
import {
  type DeadLetter,
  type EventRecord,
  type Notification,
  type NotificationRecord,
  TOPIC,
} from "../../core/records.ts";
import type { MemoryBus } from "./memory-bus.ts";
import type { Plan } from "./plan.ts";
import { SignalClock } from "./signal-clock.ts";

export type Seen = {
  readonly signalClock: SignalClock;
  readonly events: Map<string, EcsEvent>;
  readonly ticked: Set<string>;
  readonly pages: Map<string, Notification>;
  readonly deadLetters: Set<string>; // ids of events, or reasons
};

export function watch(bus: MemoryBus, { partitions, scene: { latenessMs } }: Plan): Seen {
  const seen: Seen = {
    signalClock: new SignalClock({ partitions, latenessMs }),
    ...{ events: new Map(), ticked: new Set(), pages: new Map(), deadLetters: new Set() },
  };
  const { lines } = bus.world.scheduler;
  bus.log.onRecord = (record) => {
    lines?.push(
      `  ${record.topic}/${record.partition}/${record.offset} ${record.key} ${record.text}`,
    );
    if (record.topic === TOPIC.events) sawEvent(record, seen);
    else if (record.topic === TOPIC.signals) seen.signalClock.saw(record);
    else if (record.topic === TOPIC.notifications) {
      const value = record.value as NotificationRecord;
      if (value.kind === "notification") seen.pages.set(value.id, value);
    } else if (record.topic === TOPIC.deadLetter)
      seen.deadLetters.add(nameOf(record.value as DeadLetter));
  };
  return seen;
}

function nameOf({ code, raw, reason }: DeadLetter): string {
  if (code !== "store.event-id") return reason;
  const value = JSON.parse(raw) as EventRecord;
  return value.kind === "event" ? value.event.event.id : reason;
}

function sawEvent({ value, partition }: BusRecord, { events, ticked }: Seen): void {
  const record = value as EventRecord;
  if (record.kind === "tick") {
    ticked.add(`${record.feeder} ${partition}`);
    return;
  }
  const { event } = record;
  const known = events.get(event.event.id);
  const counts = !event.wache.late && !event.wache.implausible;
  if (known === undefined || counts) events.set(event.event.id, event);
}
