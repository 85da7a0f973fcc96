// live.ts — tells open pages which incidents changed, as server-sent events.
//
// In:    the incidents in the store, the last changed first, looked at only while somebody listens.
// Out:   one `incident` event a change, to every listener; a comment now and then keeps the line open.
// Holds: at most `listenersMax` listeners; one that does not read is let go, its page connects again.
// Why:   the store, not the bus: what a page is told of, it can fetch.
import { PassThrough } from "node:stream";
import type { Incident } from "../core/records.ts";
import type { ServiceContext } from "../core/service.ts";
import { ALL } from "../core/store/query.ts";
import { ApiError } from "./errors.ts";

const listenersMax = 200;
const unreadBytesMax = 1024 * 1024;
const pollMs = 1000;
const heartbeatMs = 15_000;
const recentMax = 200;

export type LiveHub = {
  /** A stream of server-sent events; `isAllowed` is asked again at each heartbeat. */
  readonly listen: (isAllowed: () => Promise<boolean>) => PassThrough;
  readonly close: () => void;
};

type Listener = { readonly stream: PassThrough; readonly isAllowed: () => Promise<boolean> };

export function createLiveHub(context: Pick<ServiceContext, "store" | "clock" | "log">): LiveHub {
  const { store, clock, log } = context;
  const listeners = new Set<Listener>();
  let seen: ReadonlyMap<string, number> | undefined; // id → revision, of the recent ones
  let isPolling = false;
  let timers: (() => void)[] = [];

  const poll = async (): Promise<void> => {
    const page = await store.searchDocuments("incidents", {
      query: ALL,
      limit: recentMax,
      sort: "updatedMs",
    });
    const before = seen;
    seen = new Map(page.items.map((item) => [item.id, item.revision]));
    if (before === undefined) return;
    for (const item of page.items.toReversed())
      if (before.get(item.id) !== item.revision)
        broadcast(eventText(item.body as unknown as Incident));
  };
  const broadcast = (text: string): void => {
    for (const listener of listeners) {
      if (listener.stream.readableLength > unreadBytesMax) drop(listener);
      else listener.stream.write(text);
    }
  };
  const drop = (listener: Listener): void => {
    listeners.delete(listener);
    listener.stream.end();
    if (listeners.size === 0) rest();
  };
  const beat = async (): Promise<void> => {
    for (const listener of [...listeners])
      if (!(await listener.isAllowed().catch(() => true))) drop(listener);
    broadcast(": still here\n\n");
  };
  const tick = (): void => {
    if (isPolling) return;
    isPolling = true;
    poll()
      .catch((error: unknown) => log.debug({ err: error }, "the live list cannot read the store"))
      .finally(() => {
        isPolling = false;
      });
  };
  const wake = (): void => {
    timers = [clock.every(pollMs, tick), clock.every(heartbeatMs, () => void beat())];
    tick();
  };
  const rest = (): void => {
    for (const cancel of timers) cancel();
    timers = [];
    seen = undefined;
  };
  return {
    listen: (isAllowed) => {
      if (listeners.size >= listenersMax)
        throw new ApiError(429, "live.too-many", "too many open pages; close some of them");
      const listener = { stream: new PassThrough(), isAllowed };
      listeners.add(listener);
      listener.stream.on("close", () => drop(listener));
      listener.stream.on("error", () => drop(listener));
      listener.stream.write("retry: 2000\nevent: hello\ndata: {}\n\n");
      if (listeners.size === 1) wake();
      return listener.stream;
    },
    close: () => {
      for (const listener of [...listeners]) drop(listener);
      rest();
    },
  };
}

/** What the list shows; the page fetches the rest. */
function eventText(incident: Incident): string {
  const { findings: _findings, timeline: _timeline, ...line } = incident;
  return `event: incident\nid: ${incident.id}:${incident.revision}\ndata: ${JSON.stringify(line)}\n\n`;
}
