// placed.ts — a problem with its place in parts, as scripts and editors read it.
import type { Problem } from "../correlator/sigma/rule.ts";

export type Placed = {
  readonly code: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly rule?: string;
};

export function placed({ code, at, message, rule }: Problem): Placed {
  const [, file = at, line = "1", column = "1"] = /^(.*):(\d+):(\d+)$/.exec(at) ?? [];
  const place = { file, line: Number(line), column: Number(column) };
  return { code, ...place, message, ...(rule === undefined ? {} : { rule }) };
}
