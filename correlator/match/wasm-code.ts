// wasm-code.ts — as much of an assembler for WebAssembly as loops over vectors need.
//
// In:    functions over integers, their bodies instruction by instruction.
// Out:   the bytes of a module with a memory of its own (WebAssembly 2.0, "Binary Format").

export type Code = readonly number[];
/** Of 32 bits, or of 128: as the binary format writes them. */
export const INT = 0x7f;
export const VECTOR = 0x7b;
export type WasmFunction = {
  readonly name: string;
  readonly inputs: number; // integers; it gives one
  readonly vectors: number; // locals behind the inputs
  readonly ints: number; // locals behind those
  readonly body: readonly Code[];
};

const NO_TYPE = 0x40;
const END = 0x0b;
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

export function moduleOf(
  pages: number,
  functions: readonly WasmFunction[],
): Uint8Array<ArrayBuffer> {
  const exports = functions.map(({ name }, place) => [...named(name), 0, place]);
  return Uint8Array.from([
    ...HEADER,
    ...section(1, functions.map(typeOf)),
    ...section(
      3,
      functions.map((_, place) => [place]),
    ),
    ...section(5, [[0, ...unsigned(pages)]]),
    ...section(7, [[...named("memory"), 2, 0], ...exports]),
    ...section(10, functions.map(codeOf)),
  ]);
}

const typeOf = ({ inputs }: WasmFunction): Code => [
  0x60,
  ...listed(Array(inputs).fill([INT])),
  1,
  INT,
];
const codeOf = ({ vectors, ints, body }: WasmFunction): Code =>
  sized([
    ...listed([
      [vectors, VECTOR],
      [ints, INT],
    ]),
    ...body.flat(),
    END,
  ]);
const section = (kind: number, items: readonly Code[]): Code => [kind, ...sized(listed(items))];
const sized = (code: Code): Code => [...unsigned(code.length), ...code];
const listed = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const named = (name: string): Code => sized([...Buffer.from(name)]);

/** LEB128, as all of them below. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
function signed(value: number): Code {
  return value >= -0x40 && value < 0x40
    ? [value & 0x7f]
    : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}

export const int = (value: number): Code => [0x41, ...signed(value)];
export const get = (local: number): Code => [0x20, local];
export const put = (local: number): Code => [0x21, local];
export const add: Code = [0x6a];
export const atLeast: Code = [0x4e];
export const lowestBit: Code = [0x68];
export const giveBack: Code = [0x0f];
export const when = (...body: Code[]): Code => [0x04, NO_TYPE, ...body.flat(), END];
/** Again and again, until the condition holds at the beginning of a turn. */
export const until = (condition: Code, ...body: Code[]): Code => [
  ...[0x02, NO_TYPE, 0x03, NO_TYPE],
  ...[...condition, 0x0d, 1],
  ...[...body.flat(), 0x0c, 0],
  ...[END, END],
];

const vector = (code: number): Code => [0xfd, ...unsigned(code)];
/** Of sixteen bytes, from so far behind an address. */
export const load = (behind: number): Code => [...vector(0x00), 0, ...unsigned(behind)];
export const splat = vector(0x0f);
export const swizzle = vector(0x0e);
export const equal = vector(0x23);
export const unequal = vector(0x24);
export const and = vector(0x4e);
export const or = vector(0x50);
export const any = vector(0x53);
export const bits = vector(0x64);
export const shiftRight = vector(0x6d);
