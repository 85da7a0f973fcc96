// network.ts — reads a CIDR network: `10.0.0.0/8`, `fd00::/8`, or one address.
import { addressBytes } from "../match/address.ts";

export function networkOf(text: string): { bytes: readonly number[]; bits: number } | undefined {
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
