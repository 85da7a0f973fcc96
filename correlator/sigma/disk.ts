// disk.ts — lists and reads rule files on the machine's own disk.
//
// Holds: a file is listed once, under its own path where it is in the folder, else under that of the first link that leads
//        to it: folders that are mounted over links hold each file twice. Nothing but files is read, or waited for.
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { RuleDisk } from "./load.ts";

export const ruleDisk: RuleDisk = {
  list: async (path) => {
    if (!(await stat(path)).isDirectory()) return [path];
    const { files, links } = await entriesOf(path);
    const seen = new Set(files);
    const linked = links.filter(({ target, kind }) => {
      if (kind !== "file" || seen.has(target)) return false;
      seen.add(target);
      return true;
    });
    return [...files, ...linked.map((link) => link.path)];
  },
  read: (path) => readFile(path),
};

/** Links below a folder whose rules are not read: to nothing, to a folder elsewhere, to what is no file. */
export async function lostLinks(path: string): Promise<readonly Link[]> {
  if (!(await stat(path)).isDirectory()) return [];
  const { links } = await entriesOf(path);
  const isBelow = (target: string): boolean => target === path || target.startsWith(path + sep);
  return links.filter(
    ({ target, kind }) => kind !== "file" && !(kind === "folder" && isBelow(target)),
  );
}

export type Link = {
  readonly path: string;
  readonly kind: "file" | "folder" | "other" | "nothing"; // that it leads to
  readonly target: string; // what is below the folder has a path below it; empty for nothing
};

async function entriesOf(
  path: string,
): Promise<{ readonly files: readonly string[]; readonly links: readonly Link[] }> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const pathsOf = (chosen: typeof entries) =>
    chosen.map(({ parentPath, name }) => join(parentPath, name));
  const root = await realpath(path);
  const links = pathsOf(entries.filter((entry) => entry.isSymbolicLink())).toSorted();
  return {
    files: pathsOf(entries.filter((entry) => entry.isFile())),
    links: await Promise.all(links.map((link) => linkOf(link, { path, root }))),
  };
}

async function linkOf(
  link: string,
  folder: { readonly path: string; readonly root: string },
): Promise<Link> {
  try {
    const real = await realpath(link);
    const found = await stat(real);
    const kind = found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
    const isBelow = real === folder.root || real.startsWith(folder.root + sep);
    const target = isBelow ? join(folder.path, real.slice(folder.root.length)) : real;
    return { path: link, kind, target };
  } catch {
    return { path: link, kind: "nothing", target: "" };
  }
}
