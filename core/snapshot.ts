// snapshot.ts — a processor's state on the compacted topic wache.state: chunks, then a manifest that makes them count.
//
// Holds: two slots take turns, so a snapshot that a crash cut short never touches the complete one before it;
//        the complete one with the highest offset is loaded.
import type { Bus, OutRecord } from "./bus/bus.ts";
import type { ProcessorSpec, SnapshotPart } from "./processor.ts";
import { TOPIC } from "./records.ts";

const CHUNK_CHARS_MAX = 262_144; // at most 512 KiB on the wire, whatever the characters (most are one byte)

export type SnapshotSlot = "a" | "b";
type Chunk = {
  readonly kind: "chunk";
  readonly version: number;
  readonly next: number;
  readonly parts: readonly SnapshotPart[];
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
  readonly slot: SnapshotSlot; // where it stands; the next one goes to the other
  readonly otherVersion?: number;
};

export async function saveSnapshot(
  bus: Bus,
  spec: ProcessorSpec,
  partition: number,
  snapshot: {
    readonly next: number;
    readonly parts: Iterable<SnapshotPart>;
    readonly slot: SnapshotSlot;
  },
): Promise<SnapshotSlot> {
  const slot: SnapshotSlot = snapshot.slot === "a" ? "b" : "a";
  const record = (name: string | number, value: Chunk | Manifest): OutRecord => ({
    topic: TOPIC.state,
    partition: partition % bus.partitions(TOPIC.state),
    key: keyOf(spec, partition, slot, name),
    value,
  });
  const { next } = snapshot;
  const { version } = spec;
  let chunks = 0;
  for (const parts of grouped(snapshot.parts))
    await bus.produce([record(chunks++, { kind: "chunk", version, next, parts })]);
  await bus.produce([record("manifest", { kind: "manifest", version, next, chunks })]);
  return slot;
}

export async function loadSnapshot(
  bus: Bus,
  spec: ProcessorSpec,
  partition: number,
): Promise<LoadedSnapshot> {
  const found = new Map<string, Chunk | Manifest>();
  const prefix = `${spec.name}/${partition}/`;
  for await (const record of bus.read(TOPIC.state, partition % bus.partitions(TOPIC.state), 0))
    if (record.key.startsWith(prefix)) found.set(record.key, record.value as Chunk | Manifest);
  let best: LoadedSnapshot = { parts: undefined, next: 0, slot: "a" };
  for (const slot of ["a", "b"] as const) {
    const manifest = found.get(keyOf(spec, partition, slot, "manifest"));
    if (manifest?.kind !== "manifest" || (best.parts && manifest.next <= best.next)) continue;
    if (manifest.version !== spec.version) {
      best = { ...best, otherVersion: manifest.version };
      continue;
    }
    const chunks = Array.from({ length: manifest.chunks }, (_, index) =>
      found.get(keyOf(spec, partition, slot, index)),
    );
    const complete = chunks.every(
      (chunk) =>
        chunk?.kind === "chunk" && chunk.next === manifest.next && chunk.version === spec.version,
    );
    if (complete)
      best = {
        parts: chunks.flatMap((chunk) => (chunk?.kind === "chunk" ? chunk.parts : [])),
        next: manifest.next,
        slot,
      };
  }
  return best;
}

const keyOf = (
  spec: ProcessorSpec,
  partition: number,
  slot: SnapshotSlot,
  name: string | number,
): string => `${spec.name}/${partition}/${slot}/${name}`;

function* grouped(parts: Iterable<SnapshotPart>): Generator<SnapshotPart[]> {
  let group: SnapshotPart[] = [];
  let chars = 0;
  for (const part of parts) {
    if (group.length > 0 && chars + part.length > CHUNK_CHARS_MAX) {
      yield group;
      group = [];
      chars = 0;
    }
    group.push(part);
    chars += part.length;
  }
  if (group.length > 0) yield group;
}
