// networks.ts — reads a network as rules write it: an address with the number of its bits that count.
import ipaddr from "ipaddr.js";

export function networkOf(text: string): { bytes: number[]; bits: number } | undefined {
  const slash = text.indexOf("/");
  const address = slash < 0 ? text : text.slice(0, slash);
  const bytes = addressBytes(address);
  if (bytes === undefined) return undefined;
  const most = bytes.length * 8;
  const suffix = slash < 0 ? undefined : text.slice(slash + 1);
  const inIpv6 = bytes.length === 4 && address.includes(":") ? 96 : 0; // ::ffff:10.0.0.0/104 is 10.0.0.0/8
  const written = suffix === undefined ? most + inIpv6 : Number(suffix);
  const bits = suffix === undefined || /^\d{1,3}$/.test(suffix) ? written - inIpv6 : Number.NaN;
  return bits >= 0 && bits <= most ? { bytes, bits } : undefined;
}

/** The bytes of an address, 4 or 16; an IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 one. */
function addressBytes(text: string): number[] | undefined {
  if (text.length > 64) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toByteArray();
  if (!text.includes(":") || !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress()
    ? address.toIPv4Address().toByteArray()
    : address.toByteArray();
}
