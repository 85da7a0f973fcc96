// joined-path.ts — a path that joins several: `{user.domain}\{user.name}` is the text of one, a backslash, that of the other.
import { fieldOf } from "./event.ts";

const PART = /\{([^{}]+)\}/g;
const JOINED = /^\{[^{}]+\}[^{}]*(\{[^{}]+\}[^{}]*)+$/;
const BRACE = 123;

export const isJoined = (path: string): boolean =>
  path.charCodeAt(0) === BRACE && JOINED.test(path);

export const partsOf = (path: string): readonly string[] =>
  [...path.matchAll(PART)].map(([, part = ""]) => part);

/** The same with other parts. */
export const withParts = (path: string, to: (part: string) => string): string =>
  path.replace(PART, (_whole, part: string) => `{${to(part)}}`);

/** What stands there; undefined unless each part holds a text or a number. */
export function joinedAt(event: unknown, path: string): string | undefined {
  let isWhole = true;
  const text = path.replace(PART, (_whole, part: string) => {
    const value = fieldOf(event, part);
    if ((typeof value === "string" && value !== "") || typeof value === "number")
      return String(value);
    isWhole = false;
    return "";
  });
  return isWhole ? text : undefined;
}
