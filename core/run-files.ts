// run-files.ts — what a running process leaves in its data folder so that other verbs find it.
import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

export type RunFile = {
  readonly pid: number;
  readonly address: string; // http://host:port
  readonly socket: string; // path of the local socket
  readonly services: readonly string[];
  readonly version: string;
};

const SOCKET_PATH_BYTES_MAX = 100; // the kernel takes 107

/** The local socket lies in the data folder, or in a private folder of the system's where that path is too long. */
export function socketPathOf(dataDir: string): string {
  const path = join(dataDir, "wache.sock");
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  return join(tmpdir(), `wache-${userInfo().uid}-${name}`, "wache.sock");
}

const runFilePath = (dataDir: string): string => join(dataDir, "run.json");

export function writeRunFile(dataDir: string, about: RunFile): void {
  const path = runFilePath(dataDir);
  writeFileSync(`${path}.new`, `${JSON.stringify(about)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export const removeRunFile = (dataDir: string): void =>
  rmSync(runFilePath(dataDir), { force: true });

/** What the process with this data folder said of itself; it may be dead by now. */
export function readRunFile(dataDir: string): RunFile | undefined {
  try {
    return JSON.parse(readFileSync(runFilePath(dataDir), "utf8")) as RunFile;
  } catch {
    return undefined;
  }
}
