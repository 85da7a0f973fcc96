// process.ts — one life of a simulated process: its clock, its steps, its end.
//
// Holds: each call to the bus or the store passes through `step`, before and after its effect: there the process may
//        end, and what it was doing never goes on; its timers never run again.
import type { Clock } from "../../core/service.ts";
import type { World } from "./world.ts";

const STALL_MS_MAX = 20_000;

export class Process {
  readonly name: string;
  readonly world: World;
  readonly clock: Clock;
  readonly crashes: "crash" | "feeder crash";
  isAlive = true;
  #stalledUntilMs = 0;
  readonly #atEnd: (() => void)[] = [];

  constructor(world: World, name: string, crashes: Process["crashes"] = "crash") {
    this.world = world;
    this.name = name;
    this.crashes = crashes;
    this.clock = clockOf(this);
  }

  /** Called once, when the process has ended. */
  atEnd(run: () => void): void {
    this.#atEnd.push(run);
  }

  end(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.world.scheduler.note(`${this.name} ended`);
    for (const run of this.#atEnd.splice(0)) run();
  }

  /** Time passes, or the process ends here. */
  step(what: string): Promise<void> {
    const { world } = this;
    world.scheduler.note(`${this.name} ${what}`);
    if (!this.isAlive) return never();
    if (world.comes(this.crashes)) {
      this.end();
      return never();
    }
    if (world.comes("stall"))
      this.#stalledUntilMs = world.nowMs + world.chance.int(1000, STALL_MS_MAX);
    const stalledMs = this.#stalledUntilMs - world.nowMs;
    if (stalledMs <= 0 && world.chance.is(0.5)) return DONE;
    const delayMsMax = world.isRough ? world.delayMsMax : 0;
    const ms = Math.max(stalledMs, 0) + world.chance.int(0, delayMsMax);
    return new Promise((resolve) => {
      world.scheduler.after(ms, () => {
        if (this.isAlive) resolve();
      });
    });
  }
}

const DONE = Promise.resolve();
/** One of its own for each: who waits for it must be forgotten with it. */
const never = (): Promise<void> => new Promise(() => {});

function clockOf(process: Process): Clock {
  const { scheduler } = process.world;
  const after = (ms: number, run: () => void): (() => void) =>
    scheduler.after(ms, () => {
      if (process.isAlive) run();
    });
  return {
    now: () => scheduler.nowMs,
    monotonicMs: () => scheduler.nowMs,
    after,
    every(ms, run) {
      let cancel = (): void => {};
      const arm = (): void => {
        cancel = after(ms, () => {
          arm();
          run();
        });
      };
      arm();
      return () => cancel();
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const cancel = after(ms, resolve);
        signal?.addEventListener(
          "abort",
          () => {
            cancel();
            resolve();
          },
          { once: true },
        );
      }),
  };
}
