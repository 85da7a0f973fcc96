// log-cut.ts — waits until the bus has let go of what its groups have read, so that a restart has its snapshots and nothing else.
//
// Holds: only what every group of a topic has committed goes, on either bus.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { TOPIC, type TopicName } from "../core/records.ts";
import { until } from "./house.ts";

const GROUPS: readonly (readonly [TopicName, readonly string[]])[] = [
  [TOPIC.events, ["detect", "keep-events"]],
  [TOPIC.signals, ["correlate"]],
  [TOPIC.findings, ["route", "keep-findings"]],
  [TOPIC.casework, ["incidents"]],
  [TOPIC.notifications, ["deliver"]],
];
/** Their groups always go on, as ticks come; the others' commit with what comes next. */
const FLOWING: readonly TopicName[] = [TOPIC.events, TOPIC.signals];
const PATIENCE_MS = 60_000;

type Span = { readonly oldest: number; readonly end: number };

/** Until all that now is on the topics of events and signals is gone; the newest row may stay. Embedded retention does it. */
export async function embeddedLogIsCut(data: string): Promise<void> {
  const spans = (): Map<string, Span> => {
    const db = new DatabaseSync(join(data, "bus.db"), { readOnly: true });
    try {
      return new Map(
        db
          .prepare("SELECT id, name, partitions FROM topics")
          .all()
          .filter(({ name }) => FLOWING.includes(name as TopicName))
          .flatMap(({ id, name, partitions }) =>
            Array.from({ length: Number(partitions) }, (_, p): [string, Span] => {
              const row = db
                .prepare(`SELECT min(first) AS oldest, max(first) AS last FROM log_${id}_${p}`)
                .get();
              return [
                `${name}/${p}`,
                { oldest: Number(row?.["oldest"] ?? 0), end: Number(row?.["last"] ?? 0) },
              ];
            }),
          ),
      );
    } finally {
      db.close();
    }
  };
  await cut(spans(), async () => spans());
}

/** Kafka's retention knows no groups, so here the test deletes what they have committed. */
export async function kafkaLogIsCut(at: {
  readonly brokers: string[];
  readonly prefix: string;
}): Promise<void> {
  const admin = new Kafka({ brokers: at.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const nameOf = (topic: TopicName) => topic.replace("wache", at.prefix);
  const spans = async (): Promise<Map<string, Span>> => {
    const found = await Promise.all(
      FLOWING.map(async (topic) =>
        (await admin.fetchTopicOffsets(nameOf(topic))).map(({ partition, low, high }) => ({
          name: `${topic}/${partition}`,
          span: { oldest: Number(low), end: Number(high) },
        })),
      ),
    );
    return new Map(found.flat().map(({ name, span }) => [name, span]));
  };
  try {
    await cut(await spans(), async () => {
      for (const [topic, groups] of GROUPS)
        await forgetCommitted(admin, {
          topic: nameOf(topic),
          groups: groups.map((group) => `${at.prefix}.${group}`),
        });
      return spans();
    });
  } finally {
    await admin.disconnect();
  }
}

async function cut(
  before: ReadonlyMap<string, Span>,
  now: () => Promise<ReadonlyMap<string, Span>>,
): Promise<void> {
  const left = await until(
    async () => {
      const spans = await now();
      return [...before].filter(([name, { end }]) => (spans.get(name)?.oldest ?? 0) < end);
    },
    (found) => found.length === 0,
    PATIENCE_MS,
  );
  if (left.length > 0 || left instanceof Error)
    throw new Error(`the bus still holds what was there: ${JSON.stringify(left)}`);
}

async function forgetCommitted(
  admin: Admin,
  { topic, groups }: { readonly topic: string; readonly groups: readonly string[] },
): Promise<void> {
  const there = await admin.fetchTopicOffsets(topic); // without it kafkajs does not know the topic's leaders
  const committed = await Promise.all(
    groups.map(async (groupId) => {
      const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
      return new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    }),
  );
  const partitions = there
    .map(({ partition, low }) => ({
      partition,
      low: Number(low),
      next: Math.min(...committed.map((group) => group.get(partition) ?? -1)),
    }))
    .filter(({ low, next }) => next > low)
    .map(({ partition, next }) => ({ partition, offset: String(next) }));
  if (partitions.length > 0) await admin.deleteTopicRecords({ topic, partitions });
}
