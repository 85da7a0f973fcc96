// rule-folders.ts — which rules a verb works on: those it is told, else those of the configuration; and the mappings of both.
import { join, resolve, sep } from "node:path";
import { mappingFolders } from "../core/mappings.ts";
import { packageRoot } from "../core/package-root.ts";
import { CONFIG_OPTIONS, configOf } from "./common.ts";
import type { Option, Values } from "./verb.ts";

export const RULE_OPTIONS = {
  config: CONFIG_OPTIONS.config,
  lenient: { type: "boolean", text: "leave bad rules out and say so, instead of refusing all" },
} satisfies Readonly<Record<string, Option>>;

export type RuleFolder = { readonly path: string; readonly lenient: boolean };

export function ruleFoldersOf(values: Values, paths: readonly string[]): readonly RuleFolder[] {
  const lenient = values.lenient === true;
  if (paths.length > 0) return paths.map((path) => ({ path: resolve(path), lenient }));
  const { correlator } = configOf(values);
  const shipped = { path: join(packageRoot(), "rules"), lenient: false };
  const all = [...(correlator.shippedRules ? [shipped] : []), ...correlator.rules];
  return all.map((folder) => ({ ...folder, lenient: lenient || folder.lenient }));
}

/** Rules are read by the same mappings, placeholders and assets wherever they come from. */
export function readingOf(values: Values): {
  readonly mappings: readonly string[];
  readonly placeholders: ReadonlyMap<string, readonly string[]>;
  readonly assets: readonly string[];
} {
  const config = configOf(values);
  const placeholders = new Map(Object.entries(config.correlator.placeholders));
  return { mappings: mappingFolders(config), placeholders, assets: config.correlator.assets };
}

/** What is named may need the rules around it: where those are in force, all of them are loaded. */
export function withRest(values: Values, folders: readonly RuleFolder[]): readonly RuleFolder[] {
  const inForce = ruleFoldersOf(values, []);
  const isInside = (path: string): boolean =>
    inForce.some((folder) => path === folder.path || path.startsWith(folder.path + sep));
  return folders.some(({ path }) => isInside(path))
    ? [...inForce, ...folders.filter(({ path }) => !isInside(path))]
    : folders;
}
