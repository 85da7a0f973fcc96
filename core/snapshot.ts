// snapshot.ts — a processor's state on the compacted topic wache.state: chunks, then a manifest that makes them count.
//
// Holds: each has a name of its own, and no key is ever written twice: neither one that a crash cut short, nor one that was
//        refused and still arrives, nor one of an owner that does not know yet that it lost the partition touches another.
//        The complete one with the highest offset is loaded. One is forgotten only under a later one's cover.
import type { Bus, OutRecord } from "./bus/bus.ts";
import type { ProcessorSpec, SnapshotPart } from "./processor.ts";
import { TOPIC } from "./records.ts";

const CHUNK_CHARS_MAX = 262_144; // at most 512 KiB on the wire, whatever the characters (most are one byte)

/** A record of a snapshot, and the first offset that the snapshot does not hold. */
export type SnapshotKey = { readonly key: string; readonly next: number };
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
  readonly keys: readonly SnapshotKey[]; // of all that was found
  readonly otherVersion?: number;
};

/** Resolves when it is durable. */
export async function saveSnapshot(
  bus: Bus,
  spec: ProcessorSpec,
  partition: number,
  snapshot: {
    readonly name: string; // never given before
    readonly next: number;
    readonly parts: Iterable<SnapshotPart>;
    readonly onKey?: (key: SnapshotKey) => void; // each, before it is written
  },
): Promise<void> {
  const { next } = snapshot;
  const { version } = spec;
  const at = { topic: TOPIC.state, partition: partition % bus.partitions(TOPIC.state) };
  const record = (name: string | number, value: Chunk | Manifest): OutRecord => {
    const key = `${prefixOf(spec, partition)}${snapshot.name}/${name}`;
    snapshot.onKey?.({ key, next });
    return { ...at, key, value };
  };
  let chunks = 0;
  for (const pieces of grouped(snapshot.parts))
    await bus.produce([record(chunks++, { kind: "chunk", version, next, ...pieces })]);
  await bus.produce([record("manifest", { kind: "manifest", version, next, chunks })]);
}

/** Removes records of snapshots; only after the commit of one that ends no earlier than any of them. */
export async function forgetSnapshots(
  bus: Bus,
  partition: number,
  keys: readonly SnapshotKey[],
): Promise<void> {
  const at = { topic: TOPIC.state, partition: partition % bus.partitions(TOPIC.state) };
  await bus.produce(keys.map(({ key }): OutRecord => ({ ...at, key, value: null })));
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
  const keys = [...found].map(([key, { next }]): SnapshotKey => ({ key, next }));
  let best: LoadedSnapshot = { parts: undefined, next: 0, keys };
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
      best = { parts: joined(complete), next: manifest.next, keys };
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
