// topics.ts — the topics that Wache needs, as the configuration wants them.
import type { TopicSpec } from "./bus/bus.ts";
import type { Config } from "./config-schema.ts";
import { TOPIC, type TopicName } from "./records.ts";
import { spanMs } from "./spans.ts";

const STATE_REMOVED_MS = 3_600_000; // each snapshot leaves the keys of the one before it as removed; all are read at a start

const COMPACTED: ReadonlySet<TopicName> = new Set([TOPIC.incidents, TOPIC.state]);

export function topicSpecs(config: Config): TopicSpec[] {
  return Object.values(TOPIC).map((name) => ({
    name,
    partitions: config.bus.partitions,
    retentionMs: retentionMs(name, config),
    compacted: isCompacted(name),
  }));
}

export const isCompacted = (name: TopicName): boolean => COMPACTED.has(name);

function retentionMs(name: TopicName, { bus, store }: Config): number {
  if (name === TOPIC.state) return STATE_REMOVED_MS;
  const busMs = spanMs(bus.retention);
  // A dead letter stands for an event that is not in the store: it can be found for as long.
  return name === TOPIC.deadLetter ? Math.max(busMs, spanMs(store.retention)) : busMs;
}
