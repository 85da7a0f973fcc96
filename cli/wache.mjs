#!/usr/bin/env node
// wache.mjs — the command itself: finds a Node that is new enough, then hands over to main.
//
// Why: plain JavaScript without imports of ours, since the machine's own Node may be too old to read the rest.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";

const NODE_MAJOR_MIN = 24;
const HEAP = ["--max-semi-space-size=8", "--initial-old-space-size=208"]; // MiB; of the main thread, which takes them from the command line alone
const here = dirname(fileURLToPath(import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) await runHere();
else runWith(findNode());

async function runHere() {
  quietWarnings();
  keepHeapSmall();
  keepCompiled();
  endWithParent();
  const source = join(here, "main.ts");
  const compiled = join(here, "..", "dist", "cli", "main.js");
  const { main } = await import(pathToFileURL(existsSync(source) ? source : compiled).href);
  const code = await main(process.argv.slice(2));
  await Promise.all([process.stdout, process.stderr].map(written));
  process.exit(code);
}

/** A pipe takes what it can at once and the rest later: an exit before that would cut the output off. */
function written(stream) {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}

/** What Node says of `node:sqlite` and of a library's timers is for us, not for whoever runs Wache. */
function quietWarnings() {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name === "ExperimentalWarning" || warning.name === "TimeoutNegativeWarning") return;
    process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
}

/**
 * V8 lets garbage grow to three times what lives, and gives each worker 48 MiB for young objects; neither makes Wache much
 * faster. Threads that help to clear some MiB of young objects cost more than they save. Code that makes a rule, which
 * stays, also makes what an event needs, which does not: what V8 learns of the one must not place the other.
 */
function keepHeapSmall() {
  setFlagsFromString("--no-allocation-site-pretenuring");
  setFlagsFromString("--no-parallel-scavenge");
  setFlagsFromString("--heap-growing-percent=100");
  setFlagsFromString("--max-semi-space-size=4"); // MiB; of workers started from now on
}

/** What Node made of our files once, it need not make again: a sixth of a start. Where nobody may write it does without. */
function keepCompiled() {
  const packages = join(here, "..", "node_modules");
  if (existsSync(packages)) module.enableCompileCache(join(packages, ".cache", "wache"));
}

/** Started by an old Node, this process must not outlive it, not even its `kill -9`. */
function endWithParent() {
  if (process.env.WACHE_STARTED_BY !== String(process.ppid) || process.channel === undefined)
    return;
  delete process.env.WACHE_STARTED_BY;
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.channel.unref();
}

/** The newer Node that came with the package. */
function findNode() {
  try {
    const require = createRequire(import.meta.url);
    const path = join(dirname(require.resolve("node/package.json")), "bin", "node");
    if (existsSync(path)) return path;
  } catch {
    // said below
  }
  process.stderr.write(
    `wache needs Node ${NODE_MAJOR_MIN} or newer, this is ${process.versions.node}, and the npm package "node" that brings it is not installed: run npm install\n`,
  );
  process.exit(1);
}

function runWith(node) {
  const child = spawn(node, [...HEAP, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, WACHE_STARTED_BY: String(process.pid) },
  });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"])
    process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`wache: can't start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}
