// embedded-log.ts — the embedded bus on disk: one SQLite table a partition, a flush of records as one row.
//
// Holds: append is one transaction, on disk (fsync) when it returns; offsets never go back or repeat.
// Why:   a row a flush, not a row a record: SQLite takes some 14 µs a row however small it is.
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { UserError } from "../errors.ts";
import type { TopicName } from "../records.ts";
import type { BusRecord, TopicSpec } from "./bus.ts";

/** One partition's records of one flush, still as text: a line `key TAB value` each, keys and values JSON. */
export type Chunk = {
  readonly topic: TopicName;
  readonly partition: number;
  readonly records: readonly { readonly key: string; readonly text: string }[];
};
export type Row = { readonly first: number; readonly records: readonly BusRecord[] };

type Partition = {
  readonly insert: StatementSync;
  readonly select: StatementSync;
  readonly forget: StatementSync;
  end: number;
};
export type TopicLog = {
  readonly spec: TopicSpec;
  readonly id: number;
  readonly partitions: readonly Partition[];
};

/** A record of the log. Its value is parsed once, when somebody first asks, and shared by every consumer. */
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
    at: Pick<BusRecord, "topic" | "partition" | "offset" | "key" | "text" | "timestampMs">,
  ) {
    this.topic = at.topic;
    this.partition = at.partition;
    this.offset = at.offset;
    this.key = at.key;
    this.text = at.text;
    this.timestampMs = at.timestampMs;
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
  readonly #commitOffset: StatementSync;

  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=10000;
      PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;
      CREATE TABLE IF NOT EXISTS topics(id INTEGER PRIMARY KEY, name TEXT UNIQUE, partitions INTEGER,
        retention_ms INTEGER, compacted INTEGER);
      CREATE TABLE IF NOT EXISTS offsets(grp TEXT, topic TEXT, partition INTEGER, next INTEGER,
        PRIMARY KEY(grp, topic, partition)) WITHOUT ROWID;`);
    this.#commitOffset = this.#db.prepare(
      "INSERT INTO offsets VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET next=excluded.next",
    );
    for (const row of this.#db.prepare("SELECT * FROM topics").all()) this.#openTopic(row);
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

  /** Appends all chunks in one transaction; gives the rows as consumers will see them. */
  append(chunks: readonly Chunk[], nowMs: number): Row[] {
    const ends = new Map<Partition, number>();
    const rows: Row[] = [];
    this.#transaction(() => {
      for (const { topic, partition, records } of chunks) {
        const { spec, partitions } = this.topic(topic);
        const log = partitionOf(partitions, topic, partition);
        const first = ends.get(log) ?? log.end;
        ends.set(log, first + records.length);
        if (spec.compacted) {
          records.forEach((record, index) => {
            log.forget.run(record.key);
            log.insert.run(first + index, 1, nowMs, record.key, line(record));
          });
        } else log.insert.run(first, records.length, nowMs, null, records.map(line).join("\n"));
        rows.push({
          first,
          records: records.map(
            (record, index) =>
              new LoggedRecord({
                topic,
                partition,
                offset: first + index,
                ...record,
                timestampMs: nowMs,
              }),
          ),
        });
      }
    });
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
        return new LoggedRecord({
          topic,
          partition,
          offset: first + index,
          key,
          text: text.slice(tab + 1),
          timestampMs,
        });
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

  commit(group: string, topic: TopicName, partition: number, next: number): void {
    this.#commitOffset.run(group, topic, partition, next);
  }

  /** Removes rows older than their topic's retention that every group has read; the newest row always stays. */
  expire(nowMs: number): void {
    for (const [name, { spec, id, partitions }] of this.topics) {
      if (spec.compacted) continue;
      for (const partition of partitions.keys()) {
        const read = this.#db
          .prepare("SELECT min(next) AS next FROM offsets WHERE topic=? AND partition=?")
          .get(name, partition)?.["next"];
        this.#db
          .prepare(`DELETE FROM log_${id}_${partition} WHERE at_ms < ? AND first + count <= ?
            AND first < (SELECT max(first) FROM log_${id}_${partition})`)
          .run(
            nowMs - spec.retentionMs,
            read === null || read === undefined ? Number.MAX_SAFE_INTEGER : Number(read),
          );
      }
    }
  }

  close(): void {
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
        insert: this.#db.prepare(`INSERT INTO ${table} VALUES(?,?,?,?,?)`),
        select: this.#db.prepare(`SELECT first, at_ms, data FROM ${table}
          WHERE first >= coalesce((SELECT max(first) FROM ${table} WHERE first <= ?), 0) AND first + count > ?
          ORDER BY first LIMIT 1`),
        forget: this.#db.prepare(`DELETE FROM ${table} WHERE key = ?`),
        end: end ? Number(end["next"]) : 0,
      };
    });
    this.topics.set(name, { spec, id, partitions });
  }

  #transaction(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

const line = (record: { readonly key: string; readonly text: string }): string =>
  `${JSON.stringify(record.key)}\t${record.text}`;

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
