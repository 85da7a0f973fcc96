// package-root.ts — where Wache itself lies, in a checkout or installed, and which version it is.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const isRoot = (folder: string): boolean => existsSync(join(folder, "package.json"));

/** The folder that holds package.json and rules/. Compiled, this file lies one folder deeper. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!isRoot(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

export function packageVersion(): string {
  const about = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    readonly version: string;
  };
  return about.version;
}
