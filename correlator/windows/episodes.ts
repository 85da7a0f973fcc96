// episodes.ts — a group's episodes as they grow and join: maximal unions of overlapping windows.

import type { Level } from "../../core/records.ts";

export type Span = { readonly firstMs: number; readonly lastMs: number };

export type Episode = {
  firstMs: number;
  lastMs: number;
  id: string | undefined; // under which it was told
  revision: number; // told last
  replaces: readonly string[]; // ids of findings that it took in
  level: Level | undefined; // told last, of a rule whose level rises
  toldLastMs: number | undefined; // of a rule that suppresses
  isDirty: boolean; // not told as it is
  dueMs: number | null; // told again when the watermark has come so far; null: with the next tick
};

/** Adds a window in which the condition holds to the union of those before it. */
export function cover(episodes: Episode[], { firstMs, lastMs }: Span): void {
  const newest = episodes[episodes.length - 1];
  if (newest && newest.firstMs <= firstMs && firstMs <= newest.lastMs) {
    if (lastMs > newest.lastMs) {
      newest.lastMs = lastMs;
      newest.isDirty = true;
    }
    return;
  }
  let to = episodes.length;
  for (let one = episodes[to - 1]; one && one.firstMs > lastMs; one = episodes[to - 1]) to -= 1;
  let from = to;
  for (let one = episodes[from - 1]; one && one.lastMs >= firstMs; one = episodes[from - 1])
    from -= 1;
  const [first, ...others] = episodes.slice(from, to);
  if (!first) {
    episodes.splice(from, 0, {
      firstMs,
      lastMs,
      id: undefined,
      revision: 0,
      replaces: [],
      level: undefined,
      toldLastMs: undefined,
      isDirty: true,
      dueMs: null,
    });
    return;
  }
  if (firstMs < first.firstMs) {
    if (first.id !== undefined) first.replaces = [...first.replaces, first.id];
    first.id = undefined;
    first.revision = 0;
    first.firstMs = firstMs;
    first.isDirty = true;
  }
  if (lastMs > first.lastMs) {
    first.lastMs = lastMs;
    first.isDirty = true;
  }
  for (const other of others) {
    first.lastMs = Math.max(first.lastMs, other.lastMs);
    const ids = [...other.replaces, ...(other.id === undefined ? [] : [other.id])];
    if (ids.length > 0) first.replaces = [...first.replaces, ...ids];
    if (ids.length > 0 || first.id !== undefined) first.id = undefined; // told at once
    first.isDirty = true;
  }
  episodes.splice(from + 1, others.length);
}
