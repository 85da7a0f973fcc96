// snapshot.ts — the incidents of a partition as a list of small JSON texts, and back.
//
// Holds: reading what was written gives the same state, in the same order.
import type { SnapshotPart } from "../../core/processor.ts";
import type { IncidentState, Known, Thread } from "./incident.ts";

/** The partition's keys; each map has the one untouched longest first. */
export type State = {
  readonly open: Map<string, Thread>;
  readonly closed: Map<string, Thread & { readonly closedMs: number }>;
  readonly former: Map<string, Thread>; // of which only the findings' ids are left
  numberBase: number; // a key that was forgotten altogether begins above it, so that no id comes twice
  closedByBound: number;
};

const knownAPart = 1000;

type Part =
  | { readonly is: "base"; readonly numberBase: number; readonly closedByBound: number }
  | ({ readonly is: "thread"; readonly in: "open" | "closed" | "former" } & Pick<
      Thread,
      "key" | "number" | "floorMs" | "commands"
    > & { readonly closedMs?: number })
  | { readonly is: "incident"; readonly state: IncidentState } // of the thread before it
  | { readonly is: "known"; readonly known: readonly (readonly [string, Known])[] }; // likewise

export function* writeSnapshot(state: State): Generator<SnapshotPart> {
  const { numberBase, closedByBound } = state;
  yield text({ is: "base", numberBase, closedByBound });
  for (const place of ["open", "closed", "former"] as const)
    for (const thread of state[place].values()) {
      const { key, number, floorMs, commands } = thread;
      const closedMs = state.closed.get(key)?.closedMs;
      yield text({
        ...{ is: "thread", in: place, key, number, floorMs, commands },
        ...(closedMs !== undefined && { closedMs }),
      });
      for (const one of thread.incidents) yield text({ is: "incident", state: one });
      const known = [...thread.known];
      for (let at = 0; at < known.length; at += knownAPart)
        yield text({ is: "known", known: known.slice(at, at + knownAPart) });
    }
}

export function readSnapshot(parts: readonly SnapshotPart[]): State {
  const state: State = {
    open: new Map(),
    closed: new Map(),
    former: new Map(),
    numberBase: 0,
    closedByBound: 0,
  };
  let incidents: IncidentState[] = [];
  let known = new Map<string, Known>();
  for (const json of parts) {
    const part = JSON.parse(json) as Part;
    switch (part.is) {
      case "base":
        state.numberBase = part.numberBase;
        state.closedByBound = part.closedByBound;
        break;
      case "thread": {
        incidents = [];
        known = new Map();
        const { key, number, floorMs, commands } = part;
        const thread = { key, number, floorMs, commands, incidents, known };
        if (part.in === "closed")
          state.closed.set(key, { ...thread, closedMs: part.closedMs ?? 0 });
        else state[part.in].set(key, thread);
        break;
      }
      case "incident":
        incidents.push(part.state);
        break;
      case "known":
        for (const [id, entry] of part.known) known.set(id, entry);
        break;
    }
  }
  return state;
}

const text = (part: Part): string => JSON.stringify(part);
