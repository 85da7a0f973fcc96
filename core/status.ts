// status.ts — the board on which every part says in words how it is; /readyz and the status page read it.
import type { PartState, StatusBoard } from "./service.ts";

export function createStatus(
  onSet: (part: string, state: PartState) => void = () => {},
): StatusBoard {
  const parts = new Map<string, PartState>();
  return {
    set: (part, state) => {
      parts.set(part, state);
      onSet(part, state);
    },
    all: () => Object.fromEntries(parts),
  };
}

/** Words without data: what may be shown to anyone who asks whether the process is ready. */
export function readiness(status: StatusBoard): {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly text: string }>>;
} {
  const parts = Object.entries(status.all());
  return {
    ready: parts.every(([, { ok, ready }]) => ok || ready === true),
    parts: Object.fromEntries(parts.map(([part, { ok, text }]) => [part, { ok, text }])),
  };
}
