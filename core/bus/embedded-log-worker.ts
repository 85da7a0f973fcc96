// embedded-log-worker.ts — runs in a worker: writes what is appended to the embedded bus.
//
// Holds: an append is one transaction, on disk (fsync) when it is answered; a failed one leaves nothing.
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { diskFault } from "../disk-fault.ts";
import { answerCalls } from "../worker-calls.ts";
import type { Commit } from "./embedded-log.ts";
import { LOG_PRAGMAS } from "./embedded-log-file.ts";

export type Insert = {
  readonly table: string;
  readonly first: number; // offset
  readonly count: number;
  readonly atMs: number;
  readonly key?: string; // of a compacted topic: replaces the rows with this key
  readonly data: string;
};

function logWriterCalls(file: string) {
  const db = new DatabaseSync(file);
  db.exec(LOG_PRAGMAS);
  const prepared = new Map<string, StatementSync>();
  const run = (sql: string, ...values: readonly (string | number | null)[]): void => {
    const statement = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, statement);
    statement.run(...values);
  };
  return {
    append: (inserts: readonly Insert[], commits: readonly Commit[]) => {
      db.exec("BEGIN IMMEDIATE");
      try {
        for (const { table, first, count, atMs, key, data } of inserts) {
          if (key !== undefined) run(`DELETE FROM ${table} WHERE key = ?`, key);
          run(`INSERT INTO ${table} VALUES(?,?,?,?,?)`, first, count, atMs, key ?? null, data);
        }
        for (const { group, topic, partition, next } of commits)
          run(
            "INSERT INTO offsets VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET next=excluded.next",
            ...[group, topic, partition, next],
          );
        db.exec("COMMIT");
      } catch (error) {
        if (db.isTransaction) db.exec("ROLLBACK");
        throw error;
      }
    },
    close: () => db.close(),
  };
}

export type LogWriterCalls = ReturnType<typeof logWriterCalls>;

if (parentPort) {
  const { file } = workerData as { readonly file: string };
  answerCalls(parentPort, logWriterCalls(file), (error) => diskFault(error, file));
}
