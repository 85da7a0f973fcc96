import { expect, test } from "vitest";
import { UserError } from "../core/errors.ts";
import type { Clock } from "../core/service.ts";
import type { Store } from "../core/store/store.ts";
import { ApiError } from "./errors.ts";
import { impatientStore } from "./patience.ts";

const never = () => new Promise<never>(() => {});
const fails = (error: Error) => async () => {
  throw error;
};

test.for([
  { name: "an answer", getEvents: async () => [], passMs: 0, want: [] },
  { name: "none for 15 s", getEvents: never, passMs: 15_000, want: "503 api.store-away" },
  { name: "none for a moment less", getEvents: never, passMs: 14_999, want: "waiting" },
  {
    name: "a failure of its own",
    getEvents: fails(new Error("connection refused")),
    passMs: 0,
    want: "503 api.store-away",
  },
  {
    name: "a cursor of the caller's making",
    getEvents: fails(new UserError("store.cursor", "not ours")),
    passMs: 0,
    want: "400 store.cursor",
  },
])("the store gives $name", async ({ getEvents, passMs, want }) => {
  const timers: { readonly ms: number; readonly run: () => void }[] = [];
  let cancelled = 0;
  const clock = {
    after: (ms: number, run: () => void) => {
      timers.push({ ms, run });
      return () => {
        cancelled += 1;
      };
    },
  } as unknown as Clock;
  const store = impatientStore({ getEvents } as unknown as Store, clock);
  const answer = store.getEvents([]).catch((error: unknown) => {
    return error instanceof ApiError ? `${error.statusCode} ${error.code}` : String(error);
  });
  for (const { ms, run } of timers) if (ms <= passMs) run();
  const turn = new Promise((done) => setImmediate(done, "waiting"));
  expect(await Promise.race([answer, turn])).toEqual(want);
  expect(cancelled).toBe(getEvents === never ? 0 : 1);
});
