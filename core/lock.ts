// lock.ts — one process a data folder: a lock that ends with the process, however it ends.
//
// Why: an open exclusive SQLite transaction is a lock of the kernel's that no `kill -9` leaves behind. The pid is in a
//      file of its own, since a process that opens and closes the locked file again would lose the lock.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onDisk } from "./disk-fault.ts";
import { UserError } from "./errors.ts";
import { pathFault } from "./path-fault.ts";

export type Lock = {
  readonly release: () => void;
  readonly killedPid: string | undefined; // of the process before, where it ended without letting go
};
export const IN_USE_EXIT_CODE = 3;
/** A process that was killed a moment ago may still be letting go. */
const LETTING_GO_MS = 1000;

export function takeLock(dataDir: string): Lock {
  const pidFile = join(dataDir, "wache.pid");
  const database = onDisk(dataDir, () => openLocked(dataDir, pidFile));
  const killedPid = pidIn(pidFile);
  try {
    onDisk(dataDir, () => writeFileSync(pidFile, `${process.pid}\n`));
  } catch (error) {
    database.close();
    throw error;
  }
  let held = true;
  return {
    killedPid,
    release: () => {
      if (!held) return;
      held = false;
      rmSync(pidFile, { force: true });
      database.close();
    },
  };
}

function openLocked(dataDir: string, pidFile: string): DatabaseSync {
  const database = new DatabaseSync(join(dataDir, "wache.lock"), { timeout: LETTING_GO_MS });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;");
    return database;
  } catch (error) {
    database.close();
    throw lockFault(error, dataDir, pidFile);
  }
}

function lockFault(cause: unknown, dataDir: string, pidFile: string): unknown {
  if (!(cause instanceof Error) || !/locked|busy/i.test(cause.message)) return cause;
  const pid = pidIn(pidFile);
  return new UserError(
    "data.in-use",
    `the data folder ${dataDir} is in use by another wache process${pid === undefined ? "" : ` (pid ${pid})`}; stop it, or give this one a folder of its own with --data`,
    { cause, exitCode: IN_USE_EXIT_CODE },
  );
}

function pidIn(pidFile: string): string | undefined {
  try {
    return readFileSync(pidFile, "utf8").trim();
  } catch {
    return undefined;
  }
}

export function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw dataFault(error, dataDir);
  }
}

const dataFault = (cause: unknown, dataDir: string): UserError =>
  new UserError(
    "data.unusable",
    `the data folder ${dataDir} can't be made: ${pathFault(cause, dataDir)}; or choose a folder that this user may write to, with --data or the key data`,
    { cause },
  );
