// timeline.ts — an incident's timeline: what happened to it, within bounds.
import type { TimelineEntry } from "../../core/records.ts";

const timelineMax = 100;
const timelineCharsMax = 65_536;
const textCharsMax = 4000;
const titleCharsMax = 200;

/** How it began stays; of the rest the newest. */
export function timelineWith(
  timeline: readonly TimelineEntry[],
  entries: readonly TimelineEntry[],
): readonly TimelineEntry[] {
  const [first, ...rest] = [...timeline, ...entries];
  if (first === undefined) return timeline;
  const kept = rest.slice(-(timelineMax - 1));
  let chars = kept.reduce((sum, { text }) => sum + text.length, first.text.length);
  let from = 0;
  for (; chars > timelineCharsMax && from < kept.length; from++)
    chars -= kept[from]?.text.length ?? 0;
  return [first, ...kept.slice(from)];
}

export const cutText = (text: string): string => cut(text, textCharsMax);
export const shortened = (text: string): string => cut(text, titleCharsMax);

const cut = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1)}…`;

/** A time for people, in UTC to the second; also for a number that is no time. */
export const utc = (ms: number): string =>
  Math.abs(ms) <= 8.64e15
    ? `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`
    : "an unknown time";
