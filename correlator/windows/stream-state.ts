// stream-state.ts — what is kept of one stream: its clocks, and its windows by the version of their rule.
import type { AbsenceWindows } from "./absence-windows.ts";
import type { FeederClock } from "./clocks.ts";
import type { RuleWindows } from "./rule-windows.ts";
import type { Suppression } from "./suppression.ts";

export type StreamState = {
  readonly feeders: Map<number, Map<string, FeederClock>>; // by level
  readonly clocks: Map<number, number>; // by level
  readonly windows: Map<string, RuleWindows>;
  readonly absences: Map<string, AbsenceWindows>;
  readonly suppressions: Map<string, Suppression>;
  fromMs?: number; // the time of its first event, where it says so
  clockMs?: number; // how far it came, without its end
  untilMs?: number; // how far it came, as its end says
};

export const newStream = (): StreamState => ({
  ...{ feeders: new Map(), clocks: new Map() },
  ...{ windows: new Map(), absences: new Map(), suppressions: new Map() },
});
