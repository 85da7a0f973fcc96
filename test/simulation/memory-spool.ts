// memory-spool.ts — a collector's spool in memory: what it holds survives the process, as a disk does.

import type { OutboxOptions } from "../../collectors/outbox.ts";
import type { OutRecord } from "../../core/bus/bus.ts";
import type { Process } from "./process.ts";

type Frame = { readonly text: string; readonly bytes: number };

export class MemorySpool {
  #frames: Frame[] = [];

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** The spool as one life of the process sees it. */
  opened(process: Process): OutboxOptions["spool"] {
    const bytes = (): number => this.#frames.reduce((sum, frame) => sum + frame.bytes, 0);
    const isEmpty = (): boolean => this.isEmpty;
    return {
      get bytes() {
        return bytes();
      },
      get isEmpty() {
        return isEmpty();
      },
      append: async (records) => {
        await process.step("spool");
        const text = JSON.stringify(records);
        this.#frames.push({ text, bytes: text.length });
        await process.step("spooled");
        return "kept";
      },
      read: async () => {
        await process.step("read spool");
        const [frame] = this.#frames;
        if (frame === undefined) return undefined;
        return { records: JSON.parse(frame.text) as OutRecord[], bytes: frame.bytes };
      },
      advance: async () => {
        await process.step("advance spool");
        this.#frames.shift();
      },
      close: async () => {},
    };
  }
}
