// cursor.ts — where a page ended, as an opaque text that works on every store.
import { UserError } from "../errors.ts";

/** What comes after it: lower keys (or higher, oldest first), and of the same key higher ids. */
export type Position = { readonly key: number | null; readonly id: string };

export const cursorOf = (position: Position): string =>
  Buffer.from(JSON.stringify([position.key, position.id])).toString("base64url");

export function positionOf(cursor: string): Position {
  try {
    const found: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(found) && found.length === 2) {
      const [key, id] = found as readonly unknown[];
      if ((key === null || typeof key === "number") && typeof id === "string") return { key, id };
    }
  } catch {
    // Said below.
  }
  throw new UserError(
    "store.cursor",
    "cursor: not one that a search gave; leave it out to begin anew",
  );
}

export const PAGE_MAX = 10_000; // documents a page
export const pageLimit = (limit: number): number =>
  Math.min(PAGE_MAX, Math.max(1, Math.floor(Number.isFinite(limit) ? limit : PAGE_MAX)));

/** Sorting is by a number at the top of a document. */
export function checkSort(field: string): void {
  if (/^[A-Za-z][A-Za-z0-9]{0,63}$/.test(field)) return;
  throw new UserError(
    "store.sort",
    `sort: ${field.slice(0, 64)} is no field at the top of a document`,
  );
}
