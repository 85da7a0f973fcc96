// disk.ts — lists and reads rule files on the machine's own disk.
//
// Holds: a file is listed once, under its own path where it is in the folder, else under that of the first link that leads
//        to it: folders that are mounted over links hold each file twice. Nothing but files is read, or waited for.
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { RuleDisk } from "./load.ts";

/** Beside its files, the links below a folder whose rules are not read: to nothing, to a folder elsewhere, to no file. */
export type FolderDisk = RuleDisk & {
  readonly lost: (path: string) => Promise<readonly Link[]>;
};

export const ruleDisk: FolderDisk = diskOf(folderAt, readBytes);

/** The disk as it was found at the first look: each folder is listed and each file read once, whoever asks again. */
export const onceDisk = (): FolderDisk => diskOf(once(folderAt), once(readBytes));

export type Link = {
  readonly path: string;
  readonly kind: "file" | "folder" | "other" | "nothing"; // that it leads to
  readonly target: string; // what is below the folder has a path below it; empty for nothing
};

type Folder = { readonly files: readonly string[]; readonly lost: readonly Link[] };
type Ask<Answer> = (path: string) => Promise<Answer>;

function diskOf(folder: Ask<Folder>, read: RuleDisk["read"]): FolderDisk {
  return {
    list: async (path) => (await folder(path)).files,
    lost: async (path) => (await folder(path)).lost,
    read,
  };
}

function once<Answer>(ask: Ask<Answer>): Ask<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (path) => {
    const answer = answers.get(path) ?? ask(path);
    answers.set(path, answer);
    return answer;
  };
}

function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path);
}

async function folderAt(path: string): Promise<Folder> {
  if (!(await stat(path)).isDirectory()) return { files: [path], lost: [] };
  const { files, links } = await entriesOf(path);
  const seen = new Set(files);
  const linked = links.filter(({ target, kind }) => {
    if (kind !== "file" || seen.has(target)) return false;
    seen.add(target);
    return true;
  });
  const isBelow = (target: string): boolean => target === path || target.startsWith(path + sep);
  return {
    files: [...files, ...linked.map((link) => link.path)],
    lost: links.filter(
      ({ target, kind }) => kind !== "file" && !(kind === "folder" && isBelow(target)),
    ),
  };
}

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
