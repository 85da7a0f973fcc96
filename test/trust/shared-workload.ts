// shared-workload.ts — the workload and the scoring that peers were measured with: ../shared/trust, by Python.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Delivery, Episode, Found, Score } from "./truth.ts";

const TRUST = join(import.meta.dirname, "..", "..", "..", "shared", "trust");
const LATE: Readonly<Record<string, string>> = { L: "5m" };
const ALL = ["A", "B", "C", "C2", "D", "F", "F2", "FC", "L"];

/** Why it cannot be made here; undefined where it can. */
export function sharedMissing(): string | undefined {
  if (!existsSync(join(TRUST, "workload.py"))) return "../shared/trust is not there";
  return spawnSync("python3", ["--version"]).status === 0 ? undefined : "there is no python3";
}

type Truth = {
  readonly episodes: readonly {
    readonly user: string;
    readonly start_ms: number;
    readonly end_ms: number;
    readonly count: number;
  }[];
};

/** Each delivery of a seed, by name. `users` and `groups` make it smaller or larger than the peers had it. */
export function sharedWorkload(
  dir: string,
  { seed, users = 300, groups = 200_000 }: { seed: number; users?: number; groups?: number },
): ReadonlyMap<string, Delivery> {
  mkdirSync(dir, { recursive: true });
  const size = ["--users", String(users), "--groups", String(groups)];
  python([join(TRUST, "workload.py"), String(seed), dir, ...size]);
  return new Map(
    ALL.map((name) => {
      const file = join(dir, `ev_${name}.ndjson`);
      const text = readFileSync(file);
      let lines = 0;
      for (let at = text.indexOf(10); at >= 0; at = text.indexOf(10, at + 1)) lines += 1;
      const { episodes } = JSON.parse(readFileSync(truthFile(dir, name), "utf8")) as Truth;
      const truth = episodes.map(
        ({ user, start_ms: firstMs, end_ms: lastMs, count }): Episode => ({
          ...{ user, firstMs, lastMs, count },
        }),
      );
      return [name, { name, file, lines, truth, lateness: LATE[name] ?? "60s" }];
    }),
  );
}

/** What score.py --exact says of findings; `shiftMs` is how much later than the file's own the events were. */
export function sharedScore(
  dir: string,
  { name, found, shiftMs = 0 }: { name: string; found: readonly Found[]; shiftMs?: number },
): Score {
  const alerts = join(dir, `alerts_${name}.ndjson`);
  const iso = (ms: number): string => new Date(ms - shiftMs).toISOString();
  const lines = found.map(({ user, firstMs, lastMs, count }) =>
    JSON.stringify({ user, time: iso(lastMs), start: iso(firstMs), end: iso(lastMs), count }),
  );
  writeFileSync(alerts, lines.map((line) => `${line}\n`).join(""));
  const said = python([join(TRUST, "score.py"), truthFile(dir, name), alerts, "--exact"]);
  return (JSON.parse(said) as { readonly exact: Score }).exact;
}

const truthFile = (dir: string, name: string): string => join(dir, `truth_${name}.json`);

function python(args: readonly string[]): string {
  const ran = spawnSync("python3", args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (ran.status !== 0) throw new Error(`python3 ${args.join(" ")}: ${ran.stderr}`);
  return ran.stdout;
}
