// disk-fault.ts — what SQLite and the file system say of a disk, in words for whoever runs the machine.
import { messageOf, UserError } from "./errors.ts";

/** Does work on a file or folder; a fault of the disk is thrown as one that a person can act on. */
export function onDisk<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw diskFault(error, path) ?? error;
  }
}

/** Undefined where the disk is not to blame. `path` is what was being worked on. */
export function diskFault(cause: unknown, path: string): UserError | undefined {
  if (cause instanceof UserError || !(cause instanceof Error)) return undefined;
  const { code, errcode } = cause as { readonly code?: string; readonly errcode?: number };
  const isSqlite = code === "ERR_SQLITE_ERROR" && errcode !== undefined;
  const kind = isSqlite ? SQLITE.get(errcode & 0xff) : SYSTEM.get(code ?? "");
  if (kind === undefined) return undefined;
  return FAULTS[kind](path, cause);
}

type Kind = "full" | "damaged" | "unusable";
/** By SQLite's primary result codes. */
const SQLITE: ReadonlyMap<number, Kind> = new Map([
  [3, "unusable"], // PERM
  [8, "unusable"], // READONLY
  [10, "unusable"], // IOERR
  [11, "damaged"], // CORRUPT
  [13, "full"], // FULL
  [14, "unusable"], // CANTOPEN
  [26, "damaged"], // NOTADB
]);
const SYSTEM: ReadonlyMap<string, Kind> = new Map([
  ["ENOSPC", "full"],
  ["EDQUOT", "full"],
  ["EROFS", "unusable"],
  ["EACCES", "unusable"],
  ["EPERM", "unusable"],
  ["EIO", "unusable"],
]);

const FAULTS: Readonly<Record<Kind, (path: string, cause: Error) => UserError>> = {
  full: (path, cause) =>
    new UserError(
      "data.full",
      `no space is left for ${path}: ${messageOf(cause)}; free space on its disk`,
      { cause },
    ),
  damaged: (path, cause) =>
    new UserError(
      "data.damaged",
      `${path} is damaged: ${messageOf(cause)}; restore the data folder from the backup, or start with an empty one (--data)`,
      { cause },
    ),
  unusable: (path, cause) =>
    new UserError(
      "data.unusable",
      `${path} can't be written or read: ${messageOf(cause)}; see that this user may write there, and that the disk is well`,
      { cause },
    ),
};
