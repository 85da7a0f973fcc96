// disk.ts — lists and reads rule files on the machine's own disk.
//
// Holds: a file that several links lead to is listed once, under its own path: folders that are mounted over links hold each file twice.
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { RuleDisk } from "./load.ts";

export const ruleDisk: RuleDisk = {
  list: async (path) => {
    if (!(await stat(path)).isDirectory()) return [path];
    const { files, links } = await entriesOf(path);
    const linked = links.flatMap(({ target, isFolder }) =>
      target === undefined || isFolder ? [] : [target],
    );
    return [...new Set([...files, ...linked])];
  },
  read: (path) => readFile(path),
};

/** Links below a folder whose rules are not read: to nothing, or to a folder elsewhere. */
export async function lostLinks(
  path: string,
): Promise<readonly { readonly path: string; readonly target: string | undefined }[]> {
  if (!(await stat(path)).isDirectory()) return [];
  const { links } = await entriesOf(path);
  return links.filter(
    ({ target, isFolder }) =>
      target === undefined || (isFolder && target !== path && !target.startsWith(path + sep)),
  );
}

type Link = {
  readonly path: string;
  readonly target: string | undefined; // what is below the folder has a path below it
  readonly isFolder: boolean;
};

async function entriesOf(
  path: string,
): Promise<{ readonly files: readonly string[]; readonly links: readonly Link[] }> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const pathsOf = (chosen: typeof entries) =>
    chosen.map(({ parentPath, name }) => join(parentPath, name));
  const root = await realpath(path);
  const links = pathsOf(entries.filter((entry) => entry.isSymbolicLink())).map(async (link) => {
    const real = await realpath(link).catch(() => undefined);
    if (real === undefined) return { path: link, target: undefined, isFolder: false };
    const isBelow = real === root || real.startsWith(root + sep);
    const target = isBelow ? join(path, real.slice(root.length)) : real;
    return { path: link, target, isFolder: (await stat(real)).isDirectory() };
  });
  return {
    files: pathsOf(entries.filter((entry) => entry.isFile())),
    links: await Promise.all(links),
  };
}
