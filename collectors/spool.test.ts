// spool.test.ts — what is kept on disk while the bus is away.
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import type { OutRecord } from "../core/bus/bus.ts";
import { Spool } from "./spool.ts";

const log = pino({ level: "silent" });
const record = (key: string): OutRecord => ({ topic: "wache.events", key, value: { key } });
function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "wache-spool-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
const openAt = (dir: string, bytesMax = 1e6, segmentBytesMax = 200): Spool =>
  new Spool({ dir, bytesMax, segmentBytesMax, log });

async function drain(spool: Spool, most = 1000): Promise<string[]> {
  const keys: string[] = [];
  for (let count = 0; count < most; count++) {
    const next = await spool.read();
    if (next === undefined) break;
    keys.push(...next.records.map(({ key }) => key));
    await spool.advance(next.bytes);
  }
  return keys;
}
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${i}`);

test.for([
  { name: "one process", restart: false, taken: 0, want: names(10) },
  { name: "a restart before anything was taken", restart: true, taken: 0, want: names(10) },
  { name: "a restart in the middle of a file", restart: true, taken: 4, want: names(10).slice(4) },
  { name: "a restart at the end", restart: true, taken: 10, want: [] },
])("in order, over several files: $name", async ({ restart, taken, want }) => {
  const dir = folder();
  let spool = openAt(dir);
  for (const key of names(10)) expect(await spool.append([record(key)])).toBe("kept");
  await drain(spool, taken);
  if (restart) {
    await spool.close();
    spool = openAt(dir);
  }
  expect(spool.isEmpty).toBe(want.length === 0);
  expect(await drain(spool)).toEqual(want);
  expect(spool.isEmpty).toBe(true);
  expect(await spool.append([record("later")])).toBe("kept");
  expect(await drain(spool)).toEqual(["later"]);
  expect(readdirSync(dir)).toEqual(["cursor"]);
  await spool.close();
});

test.for([
  {
    name: "cut in the payload",
    harm: (file: string) => truncateSync(file, statSync(file).size - 3),
    want: ["a"],
  },
  {
    name: "cut in the header",
    harm: (file: string) => truncateSync(file, statSync(file).size / 2 + 5),
    want: ["a"],
  },
  {
    name: "followed by garbage",
    harm: (file: string) => appendFileSync(file, "garbage, longer than a header"),
    want: ["a", "b"],
  },
  {
    name: "followed by zeros",
    harm: (file: string) => appendFileSync(file, Buffer.alloc(100)),
    want: ["a", "b"],
  },
])("a torn end is skipped, what comes after it is kept: $name", async ({ harm, want }) => {
  const dir = folder();
  const first = openAt(dir, 1e6, 1e6);
  await first.append([record("a")]);
  await first.append([record("b")]);
  await first.close();
  harm(join(dir, "000000000001.spool"));
  const second = openAt(dir);
  await second.append([record("c")]);
  expect(await drain(second)).toEqual([...want, "c"]);
  await second.close();
});

test("full: refused, and taken again once there is room", async () => {
  const spool = openAt(folder(), 150);
  expect(await spool.append([record("a")])).toBe("kept");
  expect(await spool.append([record("b")])).toBe("kept");
  expect(await spool.append([record("c")])).toBe("full");
  expect(await drain(spool)).toEqual(["a", "b"]);
  expect(await spool.append([record("c")])).toBe("kept");
  await spool.close();
});

test("reading while it is written loses nothing", async () => {
  const spool = openAt(folder());
  const read: string[] = [];
  const writing = (async () => {
    for (const key of names(60)) await spool.append([record(key)]);
  })();
  while (read.length < 60) {
    read.push(...(await drain(spool)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writing;
  expect(read).toEqual(names(60));
  await spool.close();
});
