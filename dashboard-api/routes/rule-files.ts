// rule-files.ts — the rules to show: those that the correlator says it runs, else those that lie in the rule folders.
//
// Holds: reads at most `filesMax` files of at most `fileBytesMax`; a broken file is left out here, the correlator names it.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { LEVELS, type RuleAbout } from "../../core/records.ts";
import type { ServiceContext } from "../../core/service.ts";

const filesMax = 5000;
const fileBytesMax = 1024 * 1024;
const depthMax = 8;

export async function listRules(
  context: Pick<ServiceContext, "status" | "rulesDirs">,
): Promise<readonly unknown[]> {
  const running = context.status.all().rules?.data;
  const rules = Array.isArray(running)
    ? running
    : (running as { rules?: unknown } | undefined)?.rules;
  if (Array.isArray(rules)) return rules;
  const files: string[] = [];
  for (const { path } of context.rulesDirs) await collectFiles(path, files, 0);
  const read = await Promise.all(files.map(readRules));
  return read.flat().toSorted((a, b) => a.title.localeCompare(b.title));
}

async function collectFiles(path: string, files: string[], depth: number): Promise<void> {
  const about = await stat(path).catch(() => undefined);
  if (about === undefined || files.length >= filesMax || depth > depthMax) return;
  if (about.isDirectory()) {
    for (const name of (await readdir(path)).sort())
      await collectFiles(join(path, name), files, depth + 1);
    return;
  }
  if (/(?<!\.test)\.ya?ml$/.test(path) && about.size <= fileBytesMax) files.push(path);
}

async function readRules(file: string): Promise<RuleAbout[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) return [];
    const about = aboutOf(document.toJS({ maxAliasCount: 100 }));
    return about === undefined ? [] : [about];
  });
}

function aboutOf(rule: unknown): RuleAbout | undefined {
  if (typeof rule !== "object" || rule === null) return undefined;
  const { id, name, title, level, description, tags } = rule as Record<string, unknown>;
  if (typeof title !== "string" || (id === undefined && name === undefined)) return undefined;
  return {
    id: String(id ?? name),
    ...(typeof name === "string" ? { name } : {}),
    title,
    level: LEVELS.find((word) => word === level) ?? "informational",
    ...(typeof description === "string" ? { description } : {}),
    tags: Array.isArray(tags) ? tags.map(String) : [],
  };
}
