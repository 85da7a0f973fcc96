// draft.ts — what a parser makes of a line: the fields that it read, before the collector gives it an id and a clock.
import { isIP } from "node:net";
import type { LogSource } from "../../core/event.ts";

export type Draft = {
  timeMs?: number; // absent where the line says no readable time
  assumed: readonly string[];
  message?: string;
  original?: string; // the whole line, where the message is only a part of it
  event: Record<string, unknown>;
  fields: Record<string, unknown>; // every other top-level field
  sources: LogSource[];
  clientId?: string; // the `event.id` that the sender gave
  repeat: number; // how many events the line stands for
};

/** A line that is kept as a dead letter. */
export type Refusal = { readonly refused: { readonly code: string; readonly reason: string } };

export type LineContext = {
  readonly zone: string; // IANA zone of times that carry none
  readonly latestMs: number; // a time without a year lies no later than this
};

/** Undefined: not a line of this kind. */
export type LineParser = (text: string, context: LineContext) => Draft | Refusal | undefined;
/** Reads the message of one program further. */
export type MessageParser = (message: string, draft: Draft, context: LineContext) => void;

export const newDraft = (message: string): Draft => ({
  assumed: [],
  message,
  event: {},
  fields: {},
  sources: [],
  repeat: 1,
});

/** The other end: an address (a name or an IP), and its port where known. */
export function setSource(draft: Draft, address: string, port?: string): void {
  const source: Record<string, unknown> = { address };
  if (isIP(address) !== 0) {
    source.ip = address;
    relate(draft, "ip", address);
  } else {
    source.domain = address;
    relate(draft, "hosts", address);
  }
  if (port !== undefined) source.port = Number(port);
  draft.fields.source = source;
}

export function setUser(draft: Draft, name: string, effective?: string): void {
  const user: Record<string, unknown> = {};
  if (name !== "") {
    user.name = name;
    relate(draft, "user", name);
  }
  if (effective !== undefined) {
    user.effective = { name: effective };
    relate(draft, "user", effective);
  }
  if (name !== "" || effective !== undefined) draft.fields.user = user;
}

export function relate(draft: Draft, kind: "ip" | "user" | "hosts", value: string): void {
  const related = (draft.fields.related ?? {}) as Record<string, string[]>;
  const values = related[kind];
  if (values === undefined) related[kind] = [value];
  else if (!values.includes(value)) values.push(value);
  draft.fields.related = related;
}
