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

type Listener = {
  readonly stream: PassThrough;
  readonly isAllowed: () => Promise<boolean>;
  isGreeted: boolean; // told that what changes from now on, it will hear
};

export class LiveHub {
  readonly #context: Pick<ServiceContext, "store" | "clock" | "log">;
  readonly #listeners = new Set<Listener>();
  #seen: ReadonlyMap<string, number> | undefined; // id → revision, of the recent ones
  #isPolling = false;
  #timers: readonly (() => void)[] = [];

  constructor(context: Pick<ServiceContext, "store" | "clock" | "log">) {
    this.#context = context;
  }

  /** A stream of server-sent events; `isAllowed` is asked again at each heartbeat. */
  listen(isAllowed: () => Promise<boolean>): PassThrough {
    if (this.#listeners.size >= listenersMax)
      throw new ApiError(429, "live.too-many", "too many open pages; close some of them");
    const listener: Listener = { stream: new PassThrough(), isAllowed, isGreeted: false };
    this.#listeners.add(listener);
    listener.stream.on("close", () => this.#drop(listener));
    listener.stream.on("error", () => this.#drop(listener));
    listener.stream.write("retry: 2000\n\n");
    if (this.#listeners.size === 1) this.#wake();
    else if (this.#seen !== undefined) this.#greet();
    return listener.stream;
  }

  close(): void {
    for (const listener of [...this.#listeners]) this.#drop(listener);
  }

  #wake(): void {
    const { clock } = this.#context;
    const beat = () => {
      this.#beat().catch((error: unknown) => this.#context.log.warn({ err: error }, "live list"));
    };
    this.#timers = [clock.every(pollMs, () => this.#look()), clock.every(heartbeatMs, beat)];
    this.#look();
  }

  #look(): void {
    if (this.#isPolling) return;
    this.#isPolling = true;
    this.#poll()
      .catch((error: unknown) =>
        this.#context.log.debug({ err: error }, "the live list cannot read the store"),
      )
      .finally(() => {
        this.#isPolling = false;
      });
  }

  async #poll(): Promise<void> {
    const page = await this.#context.store.searchDocuments("incidents", {
      query: ALL,
      limit: recentMax,
      sort: "updatedMs",
    });
    const before = this.#seen;
    if (this.#listeners.size === 0) return;
    this.#seen = new Map(page.items.map((item) => [item.id, item.revision]));
    this.#greet();
    if (before === undefined) return;
    for (const item of page.items.toReversed())
      if (before.get(item.id) !== item.revision)
        this.#broadcast(eventText(item.body as unknown as Incident));
  }

  /** Whoever lists after this greeting misses nothing: the list is newer than what is compared with. */
  #greet(): void {
    for (const listener of this.#listeners) {
      if (!listener.isGreeted) listener.stream.write("event: hello\ndata: {}\n\n");
      listener.isGreeted = true;
    }
  }

  #broadcast(text: string): void {
    for (const listener of [...this.#listeners]) {
      if (listener.stream.readableLength > unreadBytesMax) this.#drop(listener);
      else listener.stream.write(text);
    }
  }

  async #beat(): Promise<void> {
    // A store that is away is no reason to hang up.
    for (const listener of [...this.#listeners])
      if (!(await listener.isAllowed().catch(() => true))) this.#drop(listener);
    this.#broadcast(": still here\n\n");
  }

  #drop(listener: Listener): void {
    if (!this.#listeners.delete(listener)) return;
    listener.stream.end();
    if (this.#listeners.size > 0) return;
    for (const cancel of this.#timers) cancel();
    this.#timers = [];
    this.#seen = undefined;
  }
}

/** What the list shows; the page fetches the rest. */
function eventText(incident: Incident): string {
  const { findings: _findings, timeline: _timeline, ...line } = incident;
  return `event: incident\nid: ${incident.id}:${incident.revision}\ndata: ${JSON.stringify(line)}\n\n`;
}
