// snapshot.ts — a processor's state on the compacted topic wache.state: chunks, then a manifest that makes them count.
//
// Holds: two slots take turns, so a snapshot that a crash cut short never touches the complete one before it; each owner
//        has slots of its own, so one that does not know yet that it lost the partition never breaks its successor's;
//        the complete one with the highest offset is loaded.
import type { Bus, OutRecord } from "./bus/bus.ts";
import type { ProcessorSpec, SnapshotPart } from "./processor.ts";
import { TOPIC } from "./records.ts";

const CHUNK_CHARS_MAX = 262_144; // at most 512 KiB on the wire, whatever the characters (most are one byte)

/** Where an owner's next snapshot goes, and the keys of former owners that go once it is complete. */
export type SnapshotPlace = {
  readonly owner: string;
  readonly slot: "a" | "b";
  readonly former: readonly string[];
};
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
  },
): Promise<SnapshotPlace> {
  const { next, place } = snapshot;
  const { owner, slot } = place;
  const { version } = spec;
  const at = { topic: TOPIC.state, partition: partition % bus.partitions(TOPIC.state) };
  const base = `${prefixOf(spec, partition)}${owner}/${slot}/`;
  const record = (name: string | number, value: Chunk | Manifest): OutRecord => ({
    ...at,
    key: `${base}${name}`,
    value,
  });
  let chunks = 0;
  for (const parts of grouped(snapshot.parts))
    await bus.produce([record(chunks++, { kind: "chunk", version, next, parts })]);
  await bus.produce([record("manifest", { kind: "manifest", version, next, chunks })]);
  await bus.produce(place.former.map((key): OutRecord => ({ ...at, key, value: null })));
  return { owner, slot: slot === "a" ? "b" : "a", former: [] };
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
    const chunks = Array.from({ length: manifest.chunks }, (_, index) =>
      found.get(`${base}${index}`),
    );
    const complete = chunks.every(
      (chunk) =>
        chunk?.kind === "chunk" && chunk.next === manifest.next && chunk.version === spec.version,
    );
    if (complete)
      best = {
        parts: chunks.flatMap((chunk) => (chunk?.kind === "chunk" ? chunk.parts : [])),
        next: manifest.next,
        keys: best.keys,
      };
  }
  return best;
}

const prefixOf = (spec: ProcessorSpec, partition: number): string => `${spec.name}/${partition}/`;

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
