// snapshot.ts — a processor's state on the compacted topic wache.state: chunks, then a manifest that makes them count.
//
// Holds: two slots take turns, so a snapshot that a crash cut short never touches the complete one before it; each owner
//        has slots of its own, so one that does not know yet that it lost the partition never breaks its successor's;
//        the complete one with the highest offset is loaded. A save that was refused may still arrive, at any time:
//        its slots are not used again.
import type { Bus, OutRecord } from "./bus/bus.ts";
import type { ProcessorSpec, SnapshotPart } from "./processor.ts";
import { TOPIC } from "./records.ts";

const CHUNK_CHARS_MAX = 262_144; // at most 512 KiB on the wire, whatever the characters (most are one byte)

/** Where an owner's next snapshot goes. */
export type SnapshotPlace = { readonly owner: string; readonly slot: "a" | "b" };
type Chunk = {
  readonly kind: "chunk";
  readonly version: number;
  readonly next: number;
  readonly parts: readonly string[];
  readonly goesOn?: true; // its last part goes on with the first of the next chunk
};
type Manifest = {
  readonly kind: "manifest";
  readonly version: number;
  readonly next: number;
  readonly chunks: number;
};

export type LoadedSnapshot = {
  readonly parts: readonly SnapshotPart[] | undefined;
  readonly next: number; // offset of the first record that it does not hold
  readonly keys: readonly string[]; // of all that was found
  readonly otherVersion?: number;
};

/** Resolves when it is durable; gives the place of the next one. */
export async function saveSnapshot(
  bus: Bus,
  spec: ProcessorSpec,
  partition: number,
  snapshot: {
    readonly next: number;
    readonly parts: Iterable<SnapshotPart>;
    readonly place: SnapshotPlace;
    readonly onKey?: (key: string) => void; // each key, before it is written
  },
): Promise<SnapshotPlace> {
  const { next, place } = snapshot;
  const { owner, slot } = place;
  const { version } = spec;
  const at = { topic: TOPIC.state, partition: partition % bus.partitions(TOPIC.state) };
  const base = `${prefixOf(spec, partition)}${owner}/${slot}/`;
  const record = (name: string | number, value: Chunk | Manifest): OutRecord => {
    const key = `${base}${name}`;
    snapshot.onKey?.(key);
    return { ...at, key, value };
  };
  let chunks = 0;
  for (const pieces of grouped(snapshot.parts))
    await bus.produce([record(chunks++, { kind: "chunk", version, next, ...pieces })]);
  await bus.produce([record("manifest", { kind: "manifest", version, next, chunks })]);
  return { owner, slot: slot === "a" ? "b" : "a" };
}

/** Removes what former owners left; only after the commit of a snapshot of one's own, which makes them needless. */
export async function forgetSnapshots(
  bus: Bus,
  partition: number,
  keys: readonly string[],
): Promise<void> {
  const at = { topic: TOPIC.state, partition: partition % bus.partitions(TOPIC.state) };
  await bus.produce(keys.map((key): OutRecord => ({ ...at, key, value: null })));
}

export async function loadSnapshot(
  bus: Bus,
  spec: ProcessorSpec,
  partition: number,
): Promise<LoadedSnapshot> {
  const found = new Map<string, Chunk | Manifest>();
  const prefix = prefixOf(spec, partition);
  for await (const record of bus.read(TOPIC.state, partition % bus.partitions(TOPIC.state), 0)) {
    if (!record.key.startsWith(prefix)) continue;
    if (record.value === undefined) found.delete(record.key);
    else found.set(record.key, record.value as Chunk | Manifest);
  }
  let best: LoadedSnapshot = { parts: undefined, next: 0, keys: [...found.keys()] };
  for (const [key, manifest] of found) {
    if (manifest.kind !== "manifest" || (best.parts && manifest.next <= best.next)) continue;
    if (manifest.version !== spec.version) {
      best = { ...best, otherVersion: manifest.version };
      continue;
    }
    const base = key.slice(0, key.lastIndexOf("/") + 1);
    const chunks = Array.from({ length: manifest.chunks }, (_, n) => found.get(`${base}${n}`));
    const complete = chunks.filter(
      (chunk): chunk is Chunk =>
        chunk?.kind === "chunk" && chunk.next === manifest.next && chunk.version === spec.version,
    );
    if (complete.length === chunks.length)
      best = { parts: joined(complete), next: manifest.next, keys: best.keys };
  }
  return best;
}

const prefixOf = (spec: ProcessorSpec, partition: number): string => `${spec.name}/${partition}/`;

/** Small parts together, a large one over as many chunks as it takes: a bus refuses records that are too large. */
function* grouped(parts: Iterable<SnapshotPart>): Generator<Pick<Chunk, "parts" | "goesOn">> {
  let group: string[] = [];
  let chars = 0;
  for (const part of parts) {
    if (group.length > 0 && chars + part.length > CHUNK_CHARS_MAX) {
      yield { parts: group };
      group = [];
      chars = 0;
    }
    let at = 0;
    for (; part.length - at > CHUNK_CHARS_MAX; at += CHUNK_CHARS_MAX)
      yield { parts: [part.slice(at, at + CHUNK_CHARS_MAX)], goesOn: true };
    group.push(part.slice(at));
    chars += part.length - at;
  }
  if (group.length > 0) yield { parts: group };
}

function joined(chunks: readonly Chunk[]): SnapshotPart[] {
  const whole: SnapshotPart[] = [];
  let begun = "";
  for (const { parts, goesOn } of chunks)
    for (const [index, part] of parts.entries()) {
      begun += part;
      if (goesOn && index === parts.length - 1) continue;
      whole.push(begun);
      begun = "";
    }
  return whole;
}
