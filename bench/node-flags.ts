// node-flags.ts — how V8 runs in measured processes: as the command itself has it (package.json, cli/wache.mjs).

export const NODE_FLAGS: readonly string[] = [
  ...["--max-semi-space-size=8", "--initial-old-space-size=208", "--heap-growing-percent=100"],
  ...["--no-parallel-scavenge", "--no-allocation-site-pretenuring"],
];
