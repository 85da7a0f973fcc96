// unused-aliases.ts — aliases that no rule asks for: most likely a name beside it was mistyped.
//
// Why:   the field is then looked for under its own name, in every rule: it loads, and counts something else.
import { wordKey } from "./rule-words.ts";
import { aliased, bodyOf, type NamedRules, type Warn } from "./unknown-fields.ts";
import type { MapNode } from "./yaml.ts";

/** The correlations that refer to a rule. */
export type Users = ReadonlyMap<MapNode, readonly MapNode[]>;
type Context = { readonly rules: NamedRules; readonly users: Users };

export function usersOf(maps: readonly MapNode[], rules: NamedRules): Users {
  const users = new Map<MapNode, MapNode[]>();
  for (const map of maps)
    for (const { text } of bodyOf(map)?.rules ?? []) {
      const below = rules.get(wordKey(text));
      if (below === undefined) continue;
      const all = users.get(below) ?? [];
      users.set(below, all);
      all.push(map);
    }
  return users;
}

export function aliasWarnings(map: MapNode, context: Context, warn: Warn): void {
  for (const { name, offset } of bodyOf(map)?.aliases ?? [])
    if (!isAsked(name, map, context))
      warn(
        "rule.alias-unused",
        offset,
        `nothing asks for the alias ${name}: it is named by no group-by and no field, here or in a correlation above`,
      );
}

/** Whether this correlation, or one above through its aliases, is grouped by the name or counts it. */
function isAsked(
  name: string,
  map: MapNode,
  context: Context,
  seen = new Map<MapNode, Set<string>>(),
): boolean {
  const body = bodyOf(map);
  const known = seen.get(map) ?? new Set();
  if (body === undefined || known.has(name)) return false;
  seen.set(map, known.add(name));
  if (body.groupBy.some(({ text }) => text === name)) return true;
  if (body.condition.field?.includes(name)) return true;
  return (context.users.get(map) ?? []).some((user) =>
    namesFor(name, { user, map }, context.rules).some((one) => isAsked(one, user, context, seen)),
  );
}

/** What the rule above calls the field that is `name` here. */
function namesFor(
  name: string,
  { user, map }: { readonly user: MapNode; readonly map: MapNode },
  rules: NamedRules,
): readonly string[] {
  const body = bodyOf(user);
  if (body === undefined) return [];
  const names = [name, ...body.aliases.map((alias) => alias.name)];
  return names.filter((one) => aliased(one, { body, below: map }, rules) === name);
}
