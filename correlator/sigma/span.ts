// span.ts — reads a span of time of a rule, as in 5m.
import { DAY_MS } from "../../core/event.ts";
import { type MapNode, type Node, nameOfKind, type Source } from "./yaml.ts";

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", DAY_MS],
]);

/** The span under `key` in ms; what is no span from 1 s to `daysMax` days is a problem. */
export function spanMsOf(
  value: Node | undefined,
  to: {
    readonly key: string;
    readonly daysMax: number;
    readonly map: MapNode;
    readonly source: Source;
  },
): number | undefined {
  const text = value?.kind === "scalar" ? value.source : "";
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS.get(unit) ?? Number.NaN);
  if (ms > 0 && ms <= to.daysMax * DAY_MS) return ms;
  to.source.problem(
    "rule.span",
    value?.offset ?? to.map.offset,
    `${to.key} is ${value === undefined ? "missing" : nameOfKind(value)}; write a number and s, m, h or d, from 1s to ${to.daysMax}d, as in 5m`,
  );
  return undefined;
}
