// text.ts — bytes to text: UTF-8 where they are, else each byte as its own character, so that none is lost.
import { isUtf8 } from "node:buffer";

export function decode(bytes: Buffer): string {
  if (!isUtf8(bytes)) return bytes.toString("latin1");
  const text = bytes.toString("utf8");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** A line as it came, cut to `bytesMax`, without the line end and the NULs behind it. */
export function lineOf(
  bytes: Buffer,
  bytesMax: number,
  cutBefore = 0,
): { readonly text: string; readonly truncatedBytes?: number } {
  let end = bytes.length;
  while (end > 0 && isTail(bytes[end - 1])) end--;
  const kept = end > bytesMax ? wholeCharacters(bytes, bytesMax) : end;
  const truncatedBytes = end - kept + cutBefore;
  const text = decode(bytes.subarray(0, kept));
  return truncatedBytes === 0 ? { text } : { text, truncatedBytes };
}

const isTail = (byte: number | undefined): boolean => byte === 13 || byte === 10 || byte === 0;

/** Not in the middle of a UTF-8 character, where that is what the bytes are. */
function wholeCharacters(bytes: Buffer, end: number): number {
  for (let at = end; at > end - 4 && at > 0; at--)
    if (((bytes[at] ?? 0) & 0xc0) !== 0x80) return at;
  return end;
}
