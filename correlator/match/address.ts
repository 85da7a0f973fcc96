// address.ts — IP addresses as bytes, and whether a network holds one.
import ipaddr from "ipaddr.js";

/** 4 or 16 bytes; undefined where the text is no address. An IPv4 address written inside IPv6 counts as IPv4. */
export function addressBytes(text: string): readonly number[] | undefined {
  if (text.length > 64) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toByteArray();
  if (!text.includes(":") || !ipaddr.IPv6.isValid(text)) return undefined;
  return ipaddr.process(text).toByteArray();
}

export function inNetwork(
  address: readonly number[],
  network: readonly number[],
  bits: number,
): boolean {
  if (address.length !== network.length) return false;
  return address.every((byte, index) => {
    const left = bits - index * 8;
    if (left <= 0) return true;
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    return (byte & mask) === ((network[index] ?? 0) & mask);
  });
}
