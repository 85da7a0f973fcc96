// disk.ts — lists and reads rule files on the machine's own disk.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RuleDisk } from "./load.ts";

export const ruleDisk: RuleDisk = {
  list: async (path) => {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  },
  read: (path) => readFile(path),
};
