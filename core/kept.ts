// kept.ts — what is made once for each name, as long as there is room; beyond it all is forgotten, and made again.
const KEPT_MAX = 1000;

export function kept<K, T>(all: Map<K, T>, name: K, make: () => T): T {
  const known = all.get(name);
  if (known !== undefined) return known;
  const value = make();
  if (all.size >= KEPT_MAX) all.clear();
  all.set(name, value);
  return value;
}
