// progress.ts — a bar on a terminal; elsewhere nothing.
import type { Clock } from "../core/service.ts";

export type Progress = {
  readonly show: (at: {
    readonly done: number;
    readonly all: number;
    readonly note: string;
  }) => void;
  readonly clear: () => void;
};

const BAR_LETTERS = 24;
const EVERY_MS = 100;

export function createProgress(options: {
  readonly write: ((text: string) => void) | undefined; // undefined: nobody watches
  readonly clock: Clock;
  readonly title: string;
}): Progress {
  const { write, clock, title } = options;
  if (write === undefined) return { show: () => {}, clear: () => {} };
  let shownMs = 0;
  return {
    show: ({ done, all, note }) => {
      if (clock.now() - shownMs < EVERY_MS && done < all) return;
      shownMs = clock.now();
      const part = all === 0 ? 1 : Math.min(done / all, 1);
      const full = Math.round(part * BAR_LETTERS);
      const bar = "█".repeat(full) + "░".repeat(BAR_LETTERS - full);
      write(`\r\u001b[K${title} ${bar} ${String(Math.round(part * 100)).padStart(3)} % ${note}`);
    },
    clear: () => write("\r\u001b[K"),
  };
}
