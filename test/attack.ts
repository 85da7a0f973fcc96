// attack.ts — a log of sign-ins that we make: noise, and addresses that guess passwords; and what must be found in it.
import { writeFileSync } from "node:fs";

export type Attack = {
  readonly file: string;
  readonly lines: number;
  readonly bruteForce: readonly string[];
  readonly broken: readonly string[];
  readonly slow: readonly string[];
};

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `attackers` addresses fail 12 times in 60 s each; every third then signs in. `slow` ones fail 12 times all along. `noise` lines around them. */
export function writeAttack(
  file: string,
  {
    noise,
    attackers,
    slow: slowOnes = 0,
  }: { readonly noise: number; readonly attackers: number; readonly slow?: number },
): Attack {
  const startMs = Date.UTC(2026, 0, 10, 6);
  const spanMs = 6 * 3600_000;
  const lines: { readonly atMs: number; readonly text: string }[] = [];
  const add = (atMs: number, text: string) =>
    lines.push({ atMs: Math.floor(atMs / 1000) * 1000, text });
  for (let n = 0; n < noise; n++) {
    const atMs = startMs + (n * spanMs) / noise;
    add(
      atMs,
      `sshd[${1000 + n}]: Failed password for user${n % 500} from 10.${n % 97}.${(n * 7) % 250}.${(n * 13) % 250} port ${1024 + (n % 60_000)} ssh2`,
    );
  }
  const bruteForce: string[] = [];
  const broken: string[] = [];
  for (let a = 0; a < attackers; a++) {
    const address = `203.0.113.${a + 1}`;
    const fromMs = startMs + ((a + 1) * spanMs) / (attackers + 2);
    for (let n = 0; n < 12; n++)
      add(
        fromMs + n * 5000,
        `sshd[${9000 + a}]: Failed password for root from ${address} port ${40_000 + n} ssh2`,
      );
    bruteForce.push(address);
    if (a % 3 !== 0) continue;
    add(
      fromMs + 90_000,
      `sshd[${9000 + a}]: Accepted password for root from ${address} port 41000 ssh2`,
    );
    broken.push(address);
  }
  const slow = Array.from({ length: slowOnes }, (_, s) => `198.51.100.${s + 1}`);
  slow.forEach((address, s) => {
    for (let n = 0; n < 12; n++)
      add(
        startMs + ((n + (s + 1) / (slowOnes + 2)) * spanMs) / 12,
        `sshd[${9500 + s}]: Failed password for admin from ${address} port ${42_000 + n} ssh2`,
      );
  });
  lines.sort((x, y) => x.atMs - y.atMs);
  const text = lines.map(({ atMs, text: rest }) => {
    const at = new Date(atMs);
    return `${MONTHS[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2)} ${at.toISOString().slice(11, 19)} web1 ${rest}\n`;
  });
  writeFileSync(file, text.join(""));
  return { file, lines: lines.length, bruteForce, broken, slow };
}
