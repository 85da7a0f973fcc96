// sending.ts — sends deliveries over HTTP, batch after batch, and repeats each until it is acknowledged.
//
// In:    deliveries, each as a stream of its own or as live events; how far all of them together may go.
// Holds: the next batch of a delivery goes only once the one before it was acknowledged; deliveries go side by side.
import { setTimeout as sleep } from "node:timers/promises";
import { createIngest, destinationOf, wordsOf } from "../../cli/ingest.ts";
import { systemClock } from "../../core/clock.ts";
import type { Chance } from "../chance.ts";
import { linesOf } from "./eval.ts";
import type { Delivery } from "./truth.ts";

const POLL_MS = 5;

export type Sent = { readonly delivery: Delivery; readonly stream?: string }; // without a name: live
export type Sending = {
  readonly lines: number; // of all deliveries
  acked(): number;
  repeats(): number; // batches that were not acknowledged the first time
  /** Batches begin only before this many lines of all. */
  allow(lines: number): void;
  /** Resolves when every line is acknowledged. */
  readonly sent: Promise<void>;
  /** Ends the streams. */
  end(): Promise<void>;
  /** Sends nothing more: what was given up must not keep the process alive. */
  [Symbol.dispose](): void;
};

export function startSending(
  what: readonly Sent[],
  to: { readonly data: string; readonly batchLinesMax: number; readonly chance: Chance },
): Sending {
  const state: State = { taken: 0, acked: 0, allowed: 0, repeats: 0, failed: false };
  const ingest = createIngest({
    find: destinationOf(to.data),
    clock: systemClock,
    fetch: (url, request) =>
      fetch(url, request).catch((error: unknown) => {
        state.repeats += 1;
        throw error;
      }),
    onWait: () => {},
  });
  const post = async (query: string, body: string): Promise<void> => {
    const answer = await ingest.post(`/ingest${query}`, Buffer.from(body), JSON_LINES);
    if (answer.status >= 300)
      throw new Error(`POST /ingest${query}: ${answer.status} ${wordsOf(answer.body)}`);
  };
  const senders = what.map((one) => ({ one, lines: linesOf(one.delivery.file) }));
  const sent = Promise.all(senders.map((sender) => sendAll(sender, { state, post, ...to }))).then(
    () => {},
    (error: unknown) => {
      state.failed = true;
      throw error;
    },
  );
  sent.catch(() => {}); // `acked` tells it to who does not wait for it
  return {
    lines: senders.reduce((sum, { lines }) => sum + lines.length, 0),
    acked: () => {
      if (state.failed) throw new Error("the sending failed");
      return state.acked;
    },
    repeats: () => state.repeats,
    allow: (lines) => {
      state.allowed = lines;
    },
    [Symbol.dispose]: () => {
      state.failed = true;
    },
    sent,
    end: async () => {
      for (const { one, lines } of senders)
        if (one.stream !== undefined)
          await post(`${queryOf(one.stream, lines.length)}&end=true`, "");
    },
  };
}

const JSON_LINES = { "content-type": "application/x-ndjson" };
const queryOf = (stream: string | undefined, position: number): string =>
  stream === undefined ? "" : `?stream=${stream}&page=true&position=${position}`;

type State = { taken: number; acked: number; allowed: number; repeats: number; failed: boolean };

async function sendAll(
  { one, lines }: { readonly one: Sent; readonly lines: readonly string[] },
  how: {
    readonly state: State;
    readonly post: (query: string, body: string) => Promise<void>;
    readonly batchLinesMax: number;
    readonly chance: Chance;
  },
): Promise<void> {
  const { state, post, batchLinesMax, chance } = how;
  for (let position = 0; position < lines.length; ) {
    while (state.taken >= state.allowed && !state.failed) await sleep(POLL_MS);
    if (state.failed) throw new Error("stopped before everything was sent");
    const batch = lines.slice(position, position + 1 + Math.floor(chance() * batchLinesMax));
    state.taken += batch.length;
    await post(queryOf(one.stream, position), `${batch.join("\n")}\n`);
    state.acked += batch.length;
    position += batch.length;
  }
}
