// rule-folders.ts — which rules a verb works on: those it is told, else those of the configuration.
import { join, resolve } from "node:path";
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

/** What the configuration says that %name% stands for in rules. */
export const placeholdersOf = (values: Values): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(configOf(values).correlator.placeholders));
