// partitioner.ts — which partition a key belongs to: Kafka's own rule (murmur2 of the UTF-8 key), on every bus.
const encoder = new TextEncoder();

/** Kafka's DefaultPartitioner: murmur2 with seed 0x9747b28c, sign bit cleared, modulo the partitions. */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(encoder.encode(key)) & 0x7fffffff) % partitions;
}

function murmur2(data: Uint8Array): number {
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ data.length;
  let i = 0;
  for (; i + 4 <= data.length; i += 4) {
    let k =
      at(data, i) | (at(data, i + 1) << 8) | (at(data, i + 2) << 16) | (at(data, i + 3) << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    h = Math.imul(h, m) ^ Math.imul(k, m);
  }
  const left = data.length - i;
  if (left >= 3) h ^= at(data, i + 2) << 16;
  if (left >= 2) h ^= at(data, i + 1) << 8;
  if (left >= 1) h = Math.imul(h ^ at(data, i), m);
  h ^= h >>> 13;
  h = Math.imul(h, m);
  return h ^ (h >>> 15);
}

const at = (data: Uint8Array, index: number): number => data[index] ?? 0;
