import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { onceDisk, ruleDisk } from "./disk.ts";

const root = mkdtempSync(join(tmpdir(), "wache-disk-"));
afterAll(() => rmSync(root, { recursive: true }));
const folder = join(root, "rules");
const elsewhere = join(root, "elsewhere");
mkdirSync(join(folder, "..1"), { recursive: true });
mkdirSync(elsewhere);
for (const path of [join(folder, "..1/a.yml"), join(folder, "b.yml"), join(elsewhere, "c.yml")])
  writeFileSync(path, "");
writeFileSync(join(elsewhere, "blob"), "");
execFileSync("mkfifo", [join(elsewhere, "pipe")]);
const link = (name: string, to: string) => symlinkSync(to, join(folder, name));
link("..data", "..1"); // as Kubernetes mounts a ConfigMap
link("a.yml", "..data/a.yml");
link("c.yml", "../elsewhere/c.yml");
link("c2.yml", "../elsewhere/c.yml");
link("d.yml", "../elsewhere/blob");
link("off.disabled", "../elsewhere/c.yml");
link("pipe.yml", "../elsewhere/pipe");
link("gone.yml", "nothing.yml");
link("team", "../elsewhere");
link("self", ".");

test("a folder's files, and those that links lead to by the name of the link, each once", async () => {
  const files = await ruleDisk.list(folder);
  const names = ["..1/a.yml", "b.yml", "c.yml", "d.yml"];
  expect(files.toSorted()).toEqual(names.map((name) => join(folder, name)).toSorted());
  expect(await ruleDisk.list(join(folder, "a.yml"))).toEqual([join(folder, "a.yml")]);
});

test("links whose rules are not read: to nothing, to a folder elsewhere, to a pipe", async () => {
  const lost = await ruleDisk.lost(folder);
  expect(lost.map(({ path, kind, target }) => [path, kind, target])).toEqual([
    [join(folder, "gone.yml"), "nothing", ""],
    [join(folder, "pipe.yml"), "other", join(elsewhere, "pipe")],
    [join(folder, "team"), "folder", elsewhere],
  ]);
  expect(await ruleDisk.lost(join(folder, "b.yml"))).toEqual([]);
});

test("what was looked at once is told again as it was, to whoever asks", async () => {
  const again = join(root, "again");
  const [a, b] = [join(again, "a.yml"), join(again, "b.yml")];
  mkdirSync(again);
  writeFileSync(a, "first");
  const disk = onceDisk();
  const look = async (of: typeof ruleDisk) => [
    await of.list(again),
    (await of.lost(again)).length,
    Buffer.from(await of.read(a)).toString(),
  ];
  expect(await look(disk)).toEqual([[a], 0, "first"]);
  writeFileSync(a, "second");
  symlinkSync("nothing.yml", b);
  expect(await look(disk)).toEqual([[a], 0, "first"]);
  expect(await look(onceDisk())).toEqual([[a], 1, "second"]);
  expect(await look(ruleDisk)).toEqual([[a], 1, "second"]);
});
