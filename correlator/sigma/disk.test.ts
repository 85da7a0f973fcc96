import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lostLinks, ruleDisk } from "./disk.ts";

const root = mkdtempSync(join(tmpdir(), "wache-disk-"));
afterAll(() => rmSync(root, { recursive: true }));
const folder = join(root, "rules");
const elsewhere = join(root, "elsewhere");
mkdirSync(join(folder, "..1"), { recursive: true });
mkdirSync(elsewhere);
for (const path of [join(folder, "..1/a.yml"), join(folder, "b.yml"), join(elsewhere, "c.yml")])
  writeFileSync(path, "");
const link = (name: string, to: string) => symlinkSync(to, join(folder, name));
link("..data", "..1"); // as Kubernetes mounts a ConfigMap
link("a.yml", "..data/a.yml");
link("c.yml", "../elsewhere/c.yml");
link("gone.yml", "nothing.yml");
link("team", "../elsewhere");
link("self", ".");

test("a folder's files, and those that links lead to, each once", async () => {
  const files = await ruleDisk.list(folder);
  expect(files.toSorted()).toEqual(
    [join(folder, "..1/a.yml"), join(folder, "b.yml"), join(elsewhere, "c.yml")].toSorted(),
  );
  expect(await ruleDisk.list(join(folder, "a.yml"))).toEqual([join(folder, "a.yml")]);
});

test("links whose rules are not read: to nothing, and to a folder elsewhere", async () => {
  const lost = await lostLinks(folder);
  expect(lost.map(({ path, target }) => [path, target]).toSorted()).toEqual([
    [join(folder, "gone.yml"), undefined],
    [join(folder, "team"), elsewhere],
  ]);
  expect(await lostLinks(join(folder, "b.yml"))).toEqual([]);
});
