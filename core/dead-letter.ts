// dead-letter.ts — what could not be parsed, processed or delivered, with its reason; nothing disappears.
import type { BusRecord, OutRecord } from "./bus/bus.ts";
import { idOf } from "./event.ts";
import { type DeadLetter, TOPIC } from "./records.ts";

export type Reason = { readonly code: string; readonly reason: string };

/** A dead letter for a record of the bus; the same record gives the same id. `atMs` is wall time. */
export function deadLetterOf(record: BusRecord, { code, reason }: Reason, atMs: number): OutRecord {
  const from = { topic: record.topic, partition: record.partition, offset: record.offset };
  const value: DeadLetter = {
    kind: "dead-letter",
    id: idOf(record.topic, record.partition, record.offset, code),
    source: record.key,
    reason,
    code,
    atMs,
    from,
    raw: record.text,
    encoding: "utf8",
  };
  return { topic: TOPIC.deadLetter, key: record.key, value };
}
