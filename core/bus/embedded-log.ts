// embedded-log.ts — the embedded bus on disk: one SQLite table a partition, a flush of records as one row.
//
// Holds: append is one transaction, on disk (fsync) when it returns; offsets never go back or repeat.
// Why:   a row a flush, not a row a record: SQLite takes some 14 µs a row however small it is. Appends run in a worker:
//        waiting for the disk must not hold up what else the process does.
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { UserError } from "../errors.ts";
import type { TopicName } from "../records.ts";
import { besideModule, type Caller, startWorker } from "../worker-calls.ts";
import type { BusRecord, TopicSpec } from "./bus.ts";
import { LOG_PRAGMAS } from "./embedded-log-file.ts";
import type { Insert, LogWriterCalls } from "./embedded-log-worker.ts";

/** One partition's records of one flush, still as text: a line `key TAB value` each, keys and values JSON. */
export type Chunk = {
  readonly topic: TopicName;
  readonly partition: number;
  readonly records: readonly Keyed[];
};
export type Keyed = { readonly key: string; readonly text: string; readonly value?: unknown };
export type Commit = {
  readonly group: string;
  readonly topic: TopicName;
  readonly partition: number;
  readonly next: number;
};
export type Row = { readonly first: number; readonly records: readonly BusRecord[] };

/** Its value is empty; only short rows are looked into. */
const REMOVED_A_KEY = "AND octet_length(data) < 4096 AND substr(data, -1) = char(9)";

type Partition = {
  readonly table: string;
  readonly select: StatementSync;
  end: number;
};
export type TopicLog = {
  readonly spec: TopicSpec;
  readonly id: number;
  readonly partitions: readonly Partition[];
};

/** A record of the log. Its value is the one that was produced, or is parsed once when somebody first asks; all consumers share it. */
class LoggedRecord implements BusRecord {
  readonly topic: TopicName;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly text: string;
  readonly timestampMs: number;
  #value: unknown;
  #parsed = false;
  constructor(
    row: { readonly topic: TopicName; readonly partition: number; readonly timestampMs: number },
    offset: number,
    { key, text, value }: Keyed,
  ) {
    this.#value = value;
    this.#parsed = value !== undefined;
    this.topic = row.topic;
    this.partition = row.partition;
    this.timestampMs = row.timestampMs;
    this.offset = offset;
    this.key = key;
    this.text = text;
  }
  get value(): unknown {
    if (!this.#parsed) {
      this.#parsed = true;
      this.#value = parsed(this.text);
    }
    return this.#value;
  }
}

function parsed(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the disk changed it
  }
}

export class EmbeddedLog {
  readonly topics = new Map<TopicName, TopicLog>();
  readonly #db: DatabaseSync;
  readonly #writer: Caller<LogWriterCalls>;

  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec(`${LOG_PRAGMAS}
      CREATE TABLE IF NOT EXISTS topics(id INTEGER PRIMARY KEY, name TEXT UNIQUE, partitions INTEGER,
        retention_ms INTEGER, compacted INTEGER);
      CREATE TABLE IF NOT EXISTS offsets(grp TEXT, topic TEXT, partition INTEGER, next INTEGER,
        PRIMARY KEY(grp, topic, partition)) WITHOUT ROWID;`);
    for (const row of this.#db.prepare("SELECT * FROM topics").all()) this.#openTopic(row);
    const url = besideModule(import.meta.url, "embedded-log-worker");
    this.#writer = startWorker("the bus's writer", { url, data: { file } });
  }

  ensureTopic(spec: TopicSpec): void {
    if (this.topics.has(spec.name)) {
      this.#db
        .prepare("UPDATE topics SET retention_ms=? WHERE name=?")
        .run(spec.retentionMs, spec.name);
    } else {
      this.#db
        .prepare("INSERT INTO topics(name, partitions, retention_ms, compacted) VALUES(?,?,?,?)")
        .run(spec.name, spec.partitions, spec.retentionMs, spec.compacted ? 1 : 0);
    }
    const row = this.#db.prepare("SELECT * FROM topics WHERE name=?").get(spec.name);
    if (row) this.#openTopic(row);
  }

  topic(name: TopicName): TopicLog {
    const topic = this.topics.get(name);
    if (!topic)
      throw new UserError(
        "bus.unknown-topic",
        `the bus has no topic ${name}; create it with ensureTopics`,
      );
    return topic;
  }

  /** Appends all chunks and takes all commits in one transaction; gives the rows as consumers will see them. One call at a time. */
  async append(
    chunks: readonly Chunk[],
    commits: readonly Commit[],
    nowMs: number,
  ): Promise<Row[]> {
    const ends = new Map<Partition, number>();
    const rows: Row[] = [];
    const inserts: Insert[] = [];
    for (const { topic, partition, records } of chunks) {
      const { spec, partitions } = this.topic(topic);
      const log = partitionOf(partitions, topic, partition);
      const first = ends.get(log) ?? log.end;
      ends.set(log, first + records.length);
      const base = { table: log.table, atMs: nowMs };
      if (spec.compacted)
        for (const [index, record] of records.entries())
          inserts.push({
            ...base,
            first: first + index,
            count: 1,
            key: record.key,
            data: line(record),
          });
      else
        inserts.push({ ...base, first, count: records.length, data: records.map(line).join("\n") });
      const about = { topic, partition, timestampMs: nowMs };
      rows.push({
        first,
        records: records.map((record, index) => new LoggedRecord(about, first + index, record)),
      });
    }
    await this.#writer.call("append", inserts, commits);
    for (const [log, end] of ends) log.end = end;
    return rows;
  }

  /** The row that holds `offset`, or the next one after it. */
  row(topic: TopicName, partition: number, offset: number): Row | undefined {
    const found = partitionOf(this.topic(topic).partitions, topic, partition).select.get(
      offset,
      offset,
    );
    if (!found) return undefined;
    const first = Number(found["first"]);
    const timestampMs = Number(found["at_ms"]);
    const records = String(found["data"])
      .split("\n")
      .map((text, index) => {
        const tab = text.indexOf("\t");
        const key: string = JSON.parse(text.slice(0, tab));
        const record = { key, text: text.slice(tab + 1) };
        return new LoggedRecord({ topic, partition, timestampMs }, first + index, record);
      });
    return { first, records };
  }

  end(topic: TopicName, partition: number): number {
    return partitionOf(this.topic(topic).partitions, topic, partition).end;
  }

  committed(group: string, topic: TopicName, partition: number): number {
    const row = this.#db
      .prepare("SELECT next FROM offsets WHERE grp=? AND topic=? AND partition=?")
      .get(group, topic, partition);
    return row ? Number(row["next"]) : 0;
  }

  /** From now on nothing is removed that the group has not read. */
  remember(group: string, topic: TopicName): void {
    const known = this.#db.prepare("INSERT INTO offsets VALUES(?,?,?,0) ON CONFLICT DO NOTHING");
    for (const partition of this.topic(topic).partitions.keys()) known.run(group, topic, partition);
  }

  /** Removes rows older than their topic's retention that every group has read; of compacted topics those that removed a key. The newest row always stays. */
  expire(nowMs: number): void {
    for (const [name, { spec, id, partitions }] of this.topics) {
      for (const partition of partitions.keys()) {
        const read = this.#db
          .prepare("SELECT min(next) AS next FROM offsets WHERE topic=? AND partition=?")
          .get(name, partition)?.["next"];
        this.#db
          .prepare(`DELETE FROM log_${id}_${partition} WHERE at_ms < ? AND first + count <= ?
            AND first < (SELECT max(first) FROM log_${id}_${partition})
            ${spec.compacted ? REMOVED_A_KEY : ""}`)
          .run(
            nowMs - spec.retentionMs,
            read === null || read === undefined ? Number.MAX_SAFE_INTEGER : Number(read),
          );
      }
    }
  }

  async close(): Promise<void> {
    await this.#writer.close();
    this.#db.close();
  }

  #openTopic(row: Record<string, unknown>): void {
    const id = Number(row["id"]);
    const name = String(row["name"]) as TopicName;
    const compacted = row["compacted"] === 1;
    const spec: TopicSpec = {
      name,
      partitions: Number(row["partitions"]),
      retentionMs: Number(row["retention_ms"]),
      compacted,
    };
    const partitions = Array.from({ length: spec.partitions }, (_, p) => {
      const table = `log_${id}_${p}`;
      this.#db.exec(`CREATE TABLE IF NOT EXISTS ${table}(first INTEGER PRIMARY KEY, count INTEGER, at_ms INTEGER,
        key TEXT, data TEXT)`);
      if (compacted) this.#db.exec(`CREATE INDEX IF NOT EXISTS ${table}_key ON ${table}(key)`);
      const end = this.#db
        .prepare(`SELECT first + count AS next FROM ${table} ORDER BY first DESC LIMIT 1`)
        .get();
      return {
        table,
        select: this.#db.prepare(`SELECT first, at_ms, data FROM ${table}
          WHERE first >= coalesce((SELECT max(first) FROM ${table} WHERE first <= ?), 0) AND first + count > ?
          ORDER BY first LIMIT 1`),
        end: end ? Number(end["next"]) : 0,
      };
    });
    this.topics.set(name, { spec, id, partitions });
  }
}

const line = (record: Keyed): string => `${JSON.stringify(record.key)}\t${record.text}`;

function partitionOf(
  partitions: readonly Partition[],
  topic: TopicName,
  partition: number,
): Partition {
  const log = partitions[partition];
  if (!log)
    throw new UserError(
      "bus.unknown-partition",
      `${topic} has ${partitions.length} partitions, not a partition ${partition}`,
    );
  return log;
}
