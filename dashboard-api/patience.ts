// patience.ts — the store and the bus as a request sees them: an answer in time, or 503, never a request that hangs.
//
// Why:   a store that is not reached at the start makes its calls wait until it is; a person must not.
import type { Bus } from "../core/bus/bus.ts";
import { type Replay, replayLetters } from "../core/dead-letter-replay.ts";
import { type LettersPage, type LettersWish, readDeadLetters } from "../core/dead-letters.ts";
import { UserError } from "../core/errors.ts";
import type { Clock } from "../core/service.ts";
import type { Store } from "../core/store/store.ts";
import { ApiError } from "./errors.ts";

const waitMaxMs = 15_000;
type Limits = { readonly clock: Clock; readonly away: (cause?: unknown) => ApiError };

export function impatientStore(store: Store, clock: Clock): Store {
  const within = limiter({ clock, away: storeAway });
  return {
    kind: store.kind,
    open: within(() => store.open()),
    putEvents: within((events) => store.putEvents(events)),
    searchEvents: within((search) => store.searchEvents(search)),
    getEvents: within((ids) => store.getEvents(ids)),
    countEvents: within((query) => store.countEvents(query)),
    putDocuments: within((collection, documents) => store.putDocuments(collection, documents)),
    replaceDocument: within((collection, document, expected) =>
      store.replaceDocument(collection, document, expected),
    ),
    getDocument: within((collection, id) => store.getDocument(collection, id)),
    removeDocument: within((collection, id) => store.removeDocument(collection, id)),
    searchDocuments: within((collection, search) => store.searchDocuments(collection, search)),
    supersededBy: within((ids) => store.supersededBy(ids)),
    refresh: within(() => store.refresh()),
    expire: within((beforeMs) => store.expire(beforeMs)),
    check: within(() => store.check()),
    close: () => store.close(),
  };
}

export type ApiBus = Pick<Bus, "kind" | "produce" | "lag" | "check"> & {
  readonly deadLetters: (wish: LettersWish) => Promise<LettersPage>;
  readonly replay: (ids: readonly string[]) => Promise<Replay[]>;
};

export function impatientBus(bus: Bus, clock: Clock): ApiBus {
  const within = limiter({ clock, away: busAway });
  const readWithin = limiter({ clock, away: busSilent });
  return {
    deadLetters: readWithin((wish) => readDeadLetters(bus, wish)),
    replay: readWithin((ids) => replayLetters(bus, ids)),
    kind: bus.kind,
    produce: within((records) => bus.produce(records)),
    lag: within((groups) => bus.lag(groups)),
    check: within(() => bus.check()),
  };
}

const storeAway = (cause?: unknown): ApiError =>
  new ApiError(503, "api.store-away", "the store does not answer; try again in a minute", {
    cause,
  });
const busAway = (cause?: unknown): ApiError =>
  new ApiError(
    503,
    "api.bus-away",
    "the bus does not answer; send it again in a minute with the same Idempotency-Key, it is done once",
    { cause },
  );

const busSilent = (cause?: unknown): ApiError =>
  new ApiError(503, "api.bus-away", "the bus does not answer; try again in a minute", { cause });

const limiter =
  (limits: Limits) =>
  <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
  (...args: A): Promise<R> =>
    new Promise((resolve, reject) => {
      const cancel = limits.clock.after(waitMaxMs, () => reject(limits.away()));
      call(...args)
        .then(resolve, (error: unknown) => reject(worded(error, limits)))
        .finally(cancel);
    });

/** What the caller did wrong comes with words of its own; anything else means that the store or bus is not well. */
function worded(error: unknown, { away }: Limits): unknown {
  const isCallersFault = error instanceof UserError && ASKED_WRONG.has(error.code);
  return isCallersFault ? new ApiError(400, error.code, error.message) : away(error);
}

const ASKED_WRONG: ReadonlySet<string> = new Set([
  "store.cursor",
  "store.sort",
  "dead-letter.cursor",
]);
