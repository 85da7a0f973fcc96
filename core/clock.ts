// clock.ts — the system's clock and timers, the only ones; everything else is given a Clock.
import { randomBytes } from "node:crypto";
import type { Clock } from "./service.ts";

/** Node's timers take no more; a longer wait is made of several. */
const TIMER_MS_MAX = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, run) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(Math.max(leftMs, 0), TIMER_MS_MAX);
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : run()), stepMs);
      timer.unref();
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
  every(ms, run) {
    const timer = setInterval(run, Math.min(Math.max(ms, 1), TIMER_MS_MAX));
    timer.unref();
    return () => clearInterval(timer);
  },
  /** Resolves after `ms`, or at once when the signal aborts; it never rejects. */
  sleep(ms, signal) {
    return new Promise((done) => {
      if (signal?.aborted === true) {
        done();
        return;
      }
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", finish);
        done();
      };
      const timer = setTimeout(finish, Math.min(Math.max(ms, 0), TIMER_MS_MAX));
      signal?.addEventListener("abort", finish, { once: true });
    });
  },
};

const ID_BYTES = 16;
const POOL_BYTES = 256 * ID_BYTES; // drawn at once: a call to the system for each id costs more than the id
let pool = Buffer.alloc(0);

/** 128 random bits. */
export function randomId(): string {
  if (pool.length < ID_BYTES) pool = randomBytes(POOL_BYTES);
  const id = pool.toString("base64url", 0, ID_BYTES);
  pool = pool.subarray(ID_BYTES);
  return id;
}
