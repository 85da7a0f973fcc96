// encodings.ts — the modifiers that turn one value into the other texts it may appear as.
const DASHES = ["-", "/", "–", "—", "―"] as const;
const dashAtFlag = /(?<![\p{L}\p{N}_])[-/–—―](?=[\p{L}\p{N}_])/gu;

/** Bytes as text of one character a byte: what a value encoded as UTF-16 looks like in a log. */
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
export const utf8 = (text: string): Uint8Array => Buffer.from(text, "utf8");

export function utf16(text: string, order: "le" | "be" | "bom"): Uint8Array {
  const little = Buffer.from(text, "utf16le");
  if (order === "le") return little;
  if (order === "be") return little.swap16();
  return Buffer.concat([Buffer.from([0xff, 0xfe]), little]);
}

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** The stable middle of the value's Base64 at each of the three places it can start at in a longer text. */
export function base64Offsets(bytes: Uint8Array): string[] {
  return [0, 1, 2].map((shift) => {
    const text = base64(Buffer.concat([Buffer.alloc(shift, 0x20), bytes]));
    const from = [0, 2, 3][shift] ?? 0;
    const cut = [0, 3, 2][(bytes.length + shift) % 3] ?? 0;
    return text.slice(from, text.length - cut);
  });
}

/** Every way to write a command line's flags: each dash or slash that begins a word becomes each of the five. */
export function dashVariants(text: string, variantsMax: number): string[] | undefined {
  const places = [...text.matchAll(dashAtFlag)].map((match) => match.index);
  if (DASHES.length ** places.length > variantsMax) return undefined;
  let out = [text];
  for (const place of places)
    out = out.flatMap((variant) =>
      DASHES.map((dash) => variant.slice(0, place) + dash + variant.slice(place + 1)),
    );
  return out;
}
