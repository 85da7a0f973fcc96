// wall-clock.ts — a wall clock of a real process that a test can set.
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export type WallClock = {
  readonly nodeArg: string; // what a process is started with to follow it
  readonly jump: (byMs: number) => void; // from the right time
  readonly right: () => void;
};

export function wallClock(dir: string): WallClock {
  const file = join(dir, "clock-jump");
  const url = pathToFileURL(join(import.meta.dirname, "clock-jump.ts"));
  url.search = new URLSearchParams({ by: file }).toString();
  return {
    nodeArg: `--import=${url.href}`,
    jump: (byMs) => {
      writeFileSync(`${file}.new`, String(byMs));
      renameSync(`${file}.new`, file);
    },
    right: () => rmSync(file, { force: true }),
  };
}
