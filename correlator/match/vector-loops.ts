// vector-loops.ts — two loops over a text's bytes that look at sixteen of them at once, as WebAssembly.
//
// In:    bytes in the module's memory from TEXT on; the masks of runs from MASKS on.
// Out:   where a run of the masks may stand; whether JSON may have a character otherwise than as itself.
// Holds: what stands behind the bytes may be told of too: whoever asks looks closer. There are none of these loops where
//        the processor has no such instructions (x86-64 before SSE4.1, or a virtual one that hides them).
// Why:   JavaScript reads a byte or a word at a time; five texts are found in a log line in a tenth of that time.
//
// A character's masks are 16 bytes for its low four bits and 16 for its high ones; each byte has a bit for each of eight
// buckets of runs. Where both have the same bit, a run of that bucket has the character (Hyperscan calls it "Teddy").
import {
  add,
  and,
  any,
  atLeast,
  bits,
  type Code,
  equal,
  get,
  giveBack,
  int,
  load,
  lowestBit,
  moduleOf,
  or,
  put,
  shiftRight,
  splat,
  swizzle,
  unequal,
  until,
  when,
} from "./wasm-code.ts";

export const MASKS = 0;
export const NIBBLES = 16; // bytes of a mask
export const MASKED = 3; // characters of a run
export const MASKS_BYTES = MASKED * 2 * NIBBLES;
export const TEXT = 128;
export const READ_BEHIND = 32; // bytes of the memory behind the text, where no text may be

/** As much as is used; the types of Node leave it out. */
declare const WebAssembly: {
  readonly validate: (code: Uint8Array) => boolean;
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};
export type VectorLoops = {
  readonly memory: { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number };
  /** Whether the first two bytes of one of OTHERWISE, which others have too, are among so many: 0 where none are. */
  readonly pairs: (length: number) => number;
  /** The first place from there on where a run may stand, of so many bytes; -1 where none does. */
  readonly next: (from: number, length: number) => number;
};

/** With a memory for so many bytes of text; undefined where the processor can't. */
export function vectorLoops(bytes: number): VectorLoops | undefined {
  const pages = Math.ceil((TEXT + bytes + READ_BEHIND) / PAGE_BYTES);
  const code = moduleOf(pages, [pairs, next]);
  if (!WebAssembly.validate(code)) return undefined;
  return new WebAssembly.Instance(new WebAssembly.Module(code)).exports as VectorLoops;
}

export const PAGE_BYTES = 65_536;
const STEP = 16;

const isByte = (from: number, behind: number, byte: number): Code => [
  ...[...get(from), ...load(TEXT + behind)],
  ...[...int(byte), ...splat, ...equal],
];
const forward = (local: number): Code => [...get(local), ...int(STEP), ...add, ...put(local)];

/** Behind which JSON may have a character of ASCII that is not written as itself; and what folds to one, a long s and Kelvin. */
export const OTHERWISE = ["\\u", "\\/", "\u017f", "\u212a"];

const pairs = ((length, from) => ({
  ...{ name: "pairs", inputs: 1, vectors: 0, ints: 1 },
  body: [
    until(
      [...get(from), ...get(length), ...atLeast],
      ...OTHERWISE.map((text, place) => {
        const [first = 0, second = 0] = Buffer.from(text);
        const isThere = [...isByte(from, 0, first), ...isByte(from, 1, second), ...and];
        return place === 0 ? isThere : [...isThere, ...or];
      }),
      [...any, ...when(int(1), giveBack)],
      forward(from),
    ),
    int(0),
  ],
}))(0, 1);

const next = ((from, length, masks, low, found) => {
  /** Of the character so far behind the place: the buckets that have it there. */
  const bucketsAt = (behind: number): Code => [
    ...get(masks + 2 * behind),
    ...[...get(from), ...load(TEXT + behind), ...get(low), ...and, ...swizzle],
    ...get(masks + 2 * behind + 1),
    ...[...get(from), ...load(TEXT + behind), ...int(4), ...shiftRight, ...swizzle],
    ...and,
  ];
  return {
    ...{ name: "next", inputs: 2, vectors: 2 * MASKED + 2, ints: 0 },
    body: [
      ...Array.from({ length: 2 * MASKED }, (_, place) => [
        ...[...int(0), ...load(MASKS + place * NIBBLES), ...put(masks + place)],
      ]),
      [...int(NIBBLES - 1), ...splat, ...put(low)],
      until(
        [...get(from), ...get(length), ...atLeast],
        [...bucketsAt(0), ...bucketsAt(1), ...and, ...bucketsAt(2), ...and, ...put(found)],
        [...get(found), ...any],
        when(
          get(from),
          [...get(found), ...int(0), ...splat, ...unequal, ...bits, ...lowestBit],
          [...add, ...giveBack],
        ),
        forward(from),
      ),
      int(-1),
    ],
  };
})(0, 1, 2, 8, 9);
