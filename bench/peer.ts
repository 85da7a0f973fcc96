// peer.ts — runs rsigma, where it is installed, and measures the processor time and memory that it takes.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LOOK_EVERY_MS = 20;
/** The shell's `times` tells what its children took; the peer's own pid goes first, so that its memory can be looked at. */
const SCRIPT =
  'exec 2>/dev/null; (ulimit -t "$CPU_SECONDS_MAX"; exec "$0" "$@") <"$LANE" >/dev/null 2>"$SAID" & echo $!; wait $!; echo "exit $?"; times';
const STOPPED = [128 + 9, 128 + 24]; // by SIGKILL or SIGXCPU

export type PeerFigures = {
  readonly cpuMs: number;
  readonly memoryMiB: number;
  readonly said: string; // on standard error
  readonly isCut: boolean; // stopped before its end: it took too long
};

/** The path of a binary that runs, if there is one. */
export function findPeer(env: NodeJS.ProcessEnv): string | undefined {
  const path = env.RSIGMA ?? "rsigma";
  return spawnSync(path, ["--version"]).status === 0 ? path : undefined;
}

export async function runPeer(
  path: string,
  options: { readonly rules: string; readonly lane: string; readonly cpuSecondsMax?: number },
): Promise<PeerFigures> {
  const folder = mkdtempSync(join(tmpdir(), "wache-peer-"));
  try {
    return await runIn(folder, path, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runIn(
  folder: string,
  path: string,
  options: Parameters<typeof runPeer>[1],
): Promise<PeerFigures> {
  const said = join(folder, "said");
  const args = ["engine", "eval", "-r", options.rules, "--logsource-routing"];
  const child = spawn("sh", ["-c", SCRIPT, path, ...args, "--output-format", "ndjson"], {
    env: {
      ...process.env,
      LANE: options.lane,
      SAID: said,
      CPU_SECONDS_MAX: String(options.cpuSecondsMax ?? "unlimited"),
    },
    stdio: ["ignore", "pipe", "inherit"], // the shell tells of what it stops
  });
  let text = "";
  let memoryMiB = 0;
  child.stdout.on("data", (chunk) => {
    text += String(chunk);
  });
  const look = setInterval(() => {
    const pid = /^(\d+)\n/.exec(text)?.[1];
    if (pid !== undefined) memoryMiB = Math.max(memoryMiB, mostMemoryMiB(pid));
  }, LOOK_EVERY_MS);
  await new Promise((resolve) => child.on("close", resolve));
  clearInterval(look);
  const code = Number(/^exit (\d+)$/m.exec(text)?.[1] ?? 1);
  const isCut = STOPPED.includes(code);
  if (code !== 0 && !isCut) throw new Error(`${path} failed on ${options.lane}`);
  return { cpuMs: childrenCpuMs(text), memoryMiB, said: readFileSync(said, "utf8"), isCut };
}

/** Of the process alone: what `resourceUsage` tells begins with what its parent had when it was forked. */
export function mostMemoryMiB(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0; // it has ended
  }
}

/** `0m0.00s 0m0.00s` of the shell, then of its children: user and system. */
function childrenCpuMs(text: string): number {
  const times = [...text.matchAll(/(\d+)m([\d.]+)s/g)];
  if (times.length !== 4) throw new Error(`the shell's times are not understood: ${text}`);
  return times
    .slice(2)
    .reduce(
      (sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000,
      0,
    );
}
