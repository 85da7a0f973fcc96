// check.ts — what a check of `wache doctor` is.
import type { Config } from "../../core/config-schema.ts";
import type { Clock } from "../../core/service.ts";

export type Result = {
  readonly state: "ok" | "warn" | "fail";
  readonly text: string; // what was found, and after a warning or failure what to do
};
export type CheckContext = {
  readonly config: Config;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
};
export type Check = {
  readonly name: string;
  /** Whether the configuration wants what is checked. */
  readonly wanted: (config: Config) => boolean;
  readonly run: (context: CheckContext) => Promise<readonly Result[]>;
};

export const ok = (text: string): Result => ({ state: "ok", text });
export const warn = (text: string): Result => ({ state: "warn", text });
export const fail = (text: string): Result => ({ state: "fail", text });
