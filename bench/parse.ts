// parse.ts — how fast one core turns lines into the records that go to the bus: parse, stamp, serialise.

import { type Entry, newTally, type Origin, stampLine } from "../collectors/stamp.ts";
import { idOf } from "../core/event.ts";

const LINES = 400_000;
const ROUNDS = 3;
const RECEIPT_MS = Date.UTC(2026, 0, 15, 12);
const HEAD = "<38>Jan 15 11:59:00 web-07 sshd[4242]: ";
const LANES: Readonly<Record<string, (index: number) => string>> = {
  "sshd failures": (i) =>
    `${HEAD}Failed password for invalid user admin${i % 97} from 203.0.113.${i % 250} port ${1024 + (i % 60_000)} ssh2`,
  "sshd mixed": (i) =>
    i % 3 === 0
      ? `${HEAD}pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.${i % 250}  user=root`
      : `${HEAD}Received disconnect from 203.0.113.${i % 250}: 11: Bye Bye [preauth]`,
  "access log": (i) =>
    `203.0.113.${i % 250} - - [15/Jan/2026:11:59:00 +0000] "GET /a/b.php?id=${i} HTTP/1.1" 404 153 "-" "Mozilla/5.0 (X11; Linux x86_64)"`,
  JSON: (i) =>
    `{"@timestamp":"2026-01-15T11:59:00.000Z","message":"signed in ${i}","event":{"action":"login"},"user":{"name":"u${i % 97}"},"host":{"name":"h${i % 7}"}}`,
};

const origin: Origin = {
  feeder: "bench",
  stream: "live",
  source: "bench",
  zone: "UTC",
  latenessMs: 600_000,
};

function run(make: (index: number) => string): number {
  const lines = Array.from({ length: LINES }, (_, index) => make(index));
  let bytes = 0;
  const start = process.cpuUsage();
  for (let index = 0; index < lines.length; index++) {
    const entries: Entry[] = [];
    stampLine(
      { text: lines[index] ?? "" },
      origin,
      { receiptMs: RECEIPT_MS, id: () => idOf("bench", index), clock: () => RECEIPT_MS },
      { entries, tally: newTally() },
    );
    for (const { record } of entries) bytes += JSON.stringify(record.value).length;
  }
  const { user, system } = process.cpuUsage(start);
  if (bytes === 0) throw new Error("nothing was made");
  return LINES / ((user + system) / 1e6);
}

console.log("lane              lines/s (one core, parse + stamp + serialise; median)");
for (const [name, make] of Object.entries(LANES)) {
  const rates = Array.from({ length: ROUNDS }, () => run(make)).sort((a, b) => a - b);
  console.log(`${name.padEnd(18)}${Math.round(rates[ROUNDS >> 1] ?? 0).toLocaleString("en")}`);
}
