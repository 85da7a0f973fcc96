// absence.ts — says in a sentence what did not come, from whom and since when.
import type { AbsenceAbout, Finding } from "../../core/records.ts";
import { shortened, utc } from "./timeline.ts";

type Missing = Pick<Finding, "group" | "lastMs" | "count"> & { readonly absence: AbsenceAbout };

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** "No backup_finished from db1 since 2026-11-23 02:10:00 UTC (26 h)." */
export function absenceText(missing: Missing): string {
  const { absence, lastMs, count } = missing;
  const { sinceMs, expectedMs, endedMs, deadline, dueMs } = absence;
  const what = whatOf(missing);
  const fromMs = sinceMs ?? expectedMs ?? dueMs;
  if (absence.forgotten)
    return `${what} is no longer awaited: none came for ${lasted(lastMs - fromMs)}.`;
  if (endedMs !== undefined)
    return sinceMs === undefined
      ? `${what} came for the first time at ${utc(endedMs)}.`
      : `${what} came again at ${utc(endedMs)}, after ${lasted(endedMs - sinceMs)}.`;
  if (deadline === undefined)
    return sinceMs === undefined
      ? `No ${what} has ever come; awaited since ${utc(fromMs)} (${lasted(lastMs - fromMs)}).`
      : `No ${what} since ${utc(sinceMs)} (${lasted(lastMs - sinceMs)}).`;
  const by = `by ${deadline.by} ${deadline.timezone} (${utc(dueMs)})`;
  const again = count > 1 ? `, missed ${count} times by ${utc(lastMs)}` : "";
  const before = sinceMs === undefined ? "none has ever come" : `the last one came ${utc(sinceMs)}`;
  return `No ${what} ${by}${again}; ${before}.`;
}

/** What a message says in place of first and last events and their number. */
export function absenceFacts(missing: Missing): readonly (readonly [string, string])[] {
  const { sinceMs, expectedMs, endedMs, dueMs, deadline, forgotten } = missing.absence;
  const by = deadline === undefined ? "" : ` (${deadline.by} ${deadline.timezone})`;
  return [
    [
      "Last one",
      sinceMs === undefined ? `none, awaited since ${utc(expectedMs ?? dueMs)}` : utc(sinceMs),
    ],
    ["Was due", `${utc(dueMs)}${by}`],
    ["Missed", missedText(missing)],
    ...(endedMs === undefined
      ? []
      : [[forgotten ? "Given up" : "Came again", utc(endedMs)] as const]),
  ];
}

/** "3 times so far" */
export const missedText = ({ absence, count }: Missing): string =>
  `${count === 1 ? "once" : `${count} times`}${absence.endedMs === undefined ? " so far" : ""}`;

export const isMissing = (finding: Finding): finding is Finding & Missing =>
  finding.absence !== undefined;

function whatOf({ absence, group }: Missing): string {
  const from = Object.values(group);
  const what = absence.what.join(" or ");
  return shortened(from.length === 0 ? what : `${what} from ${from.join(", ")}`);
}

/** A span in its largest unit in which it is a whole number, or of which there are at least two. */
function lasted(ms: number): string {
  for (const [name, unitMs] of UNITS) {
    const count = Math.floor(ms / unitMs);
    if (count >= 1 && ms % unitMs === 0 && (count > 1 || name !== "d")) return `${count} ${name}`;
    if (count >= (name === "d" ? 3 : 2)) return `${count} ${name}`;
  }
  return `${Math.max(0, ms)} ms`;
}
