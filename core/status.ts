// status.ts — the board on which every part says in words how it is; /readyz and the status page read it.
import type { StatusBoard } from "./service.ts";

export type State = { readonly ok: boolean; readonly text: string; readonly data?: unknown };

export function createStatus(onSet: (part: string, state: State) => void = () => {}): StatusBoard {
  const parts = new Map<string, State>();
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
  const parts = Object.entries(status.all()).map(
    ([part, { ok, text }]) => [part, { ok, text }] as const,
  );
  return { ready: parts.every(([, { ok }]) => ok), parts: Object.fromEntries(parts) };
}
