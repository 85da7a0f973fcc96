// retention.ts — removes event indices that were last written longer ago than the configuration keeps them.
import { messageOf } from "../errors.ts";
import type { ServiceContext } from "../service.ts";

const LOOK_EVERY_MS = 3_600_000;

/** Looks once an hour; gives what stops it. `keepMs`: how long an index stays after its last write. */
export function startRetention(
  { clock, store, log }: Pick<ServiceContext, "clock" | "store" | "log">,
  keepMs: number,
): () => void {
  return clock.every(LOOK_EVERY_MS, () => {
    store.expire(clock.now() - keepMs).then(
      (names) => {
        if (names.length > 0)
          log.info({ indices: names }, "removed event indices past store.retention");
      },
      (error: unknown) =>
        log.warn(`removing old event indices failed, next try in an hour: ${messageOf(error)}`),
    );
  });
}
