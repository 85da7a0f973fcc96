// path-fault.ts — what the file system says of a path that somebody named, in words: why it is of no use, what to do.
import { resolve } from "node:path";
import { messageOf } from "./errors.ts";

const NO_RIGHT =
  "this user has no right to it; change its rights or those of the folders above it, or run as a user who has them";
const NO_GZIP = "it begins as gzip does, but is damaged or cut off; pack it anew";
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder; check the path",
  ENOTDIR: "a part of the path is a file, not a folder; check the path",
  EISDIR: "it is a folder; name a file",
  EEXIST: "a file is in its place; move it away",
  EACCES: NO_RIGHT,
  EPERM: NO_RIGHT,
  EROFS: "its disk can only be read; name another",
  ELOOP: "its links lead round in a circle; mend them",
  ENAMETOOLONG: "the path is too long; check it",
  EMFILE: "this process has too many files open; raise the limit (ulimit -n)",
  Z_DATA_ERROR: NO_GZIP,
  Z_BUF_ERROR: NO_GZIP,
};

/** Names the file below `path` that is to blame, where it is another. What has no words here is said as Node says it. */
export function pathFault(error: unknown, path: string): string {
  const { code = "", path: blamed } = (error instanceof Error ? error : {}) as {
    readonly code?: string;
    readonly path?: string;
  };
  const words = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  if (words === undefined) return messageOf(error);
  const isOther = typeof blamed === "string" && resolve(blamed) !== resolve(path);
  return isOther ? `${blamed}: ${words}` : words;
}
