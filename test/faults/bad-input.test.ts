// Any bytes on any input become events or dead letters with a reason, all of them, in bounded memory; a full disk loses nothing.
import { createSocket } from "node:dgram";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { openEmbeddedBus } from "../../core/bus/embedded.ts";
import { systemClock } from "../../core/clock.ts";
import type { EcsEvent } from "../../core/event.ts";
import { type DeadLetter, TOPIC } from "../../core/records.ts";
import { ask, everything, type House, openHouse, until } from "../house.ts";
import { mountSmallDisk, NO_MOUNT } from "../small-disk.ts";

const MEGABYTES = 1024 * 1024;
const LONG = 10_000_000; // bytes of one line
const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const DEEP = 100_000;
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, "utf16le");
const deepObject = `${'{"a":'.repeat(DEEP)}1${"}".repeat(DEEP)}`;
const json = { "content-type": "application/json" };

/** What is sent to POST /ingest, and what must come of it. */
const BODIES: readonly {
  readonly name: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly want: Readonly<Record<string, unknown>>;
}[] = [
  { name: "every byte", body: EVERY_BYTE, want: { accepted: 2, events: 2, dead_letters: 0 } },
  { name: "a no-break space", body: "\u00a0\n", want: { accepted: 1, events: 1 } },
  { name: "10 MB in a line", body: Buffer.alloc(LONG, 97), want: { accepted: 1, events: 1 } },
  {
    name: "10 MB in a JSON string",
    body: JSON.stringify([{ message: "b".repeat(LONG) }, "c".repeat(LONG)]),
    headers: json,
    want: { accepted: 2, events: 2 },
  },
  { name: "UTF-16", body: utf16("one\ntwo\n"), want: { accepted: 2, events: 2 } },
  { name: "Latin-1", body: Buffer.from("caf\xe9", "latin1"), want: { accepted: 1, events: 1 } },
  { name: "half a JSON line", body: '{"a":1}\n{"mess', want: { accepted: 2, events: 2 } },
  { name: "half a JSON body", body: '{"mess', headers: json, want: { error: expect.anything() } },
  { name: "a deep body", body: deepObject, headers: json, want: { events: 0, dead_letters: 1 } },
  {
    name: "a deep array",
    body: `${"[".repeat(DEEP)}${"]".repeat(DEEP)},1`.replace(/,1$/, ""),
    headers: json,
    want: { events: 0, dead_letters: 1 },
  },
  { name: "a deep line", body: deepObject.slice(0, 60_000), want: { accepted: 1, events: 1 } },
  {
    name: "times from 0 to 9999",
    body: ["0000", "1970", "2100", "9999"].map((year) => `${year}-01-01T00:00:00Z x`).join("\n"),
    want: { accepted: 4, events: 4 },
  },
  {
    name: "names that mean something elsewhere",
    body: '{"__proto__":{"x":1},"constructor":1,"event":7,"wache":5,"host":[1],"@timestamp":{}}',
    want: { accepted: 1, events: 1 },
  },
  {
    name: "no gzip",
    body: "x",
    headers: { "content-encoding": "gzip" },
    want: { error: expect.anything() },
  },
];

/** What is sent by TCP before the connection ends, and how many messages are in it. */
const STREAMS: readonly { readonly bytes: string | Buffer; readonly messages: number }[] = [
  { bytes: "999999999 <34>a count that never comes\n<34>and what it swallows\n", messages: 1 },
  { bytes: "99999999999999999999 <34>a count of too many digits\n", messages: 1 },
  { bytes: "5 <34>too small a count\n", messages: 2 },
  { bytes: "-5 <34>below\n0 <34>zero\n00012 <34>zeros\n", messages: 3 },
  { bytes: "100 <34>half a counted frame", messages: 1 },
  { bytes: "12", messages: 1 },
  { bytes: "<34>half a line", messages: 1 },
  { bytes: EVERY_BYTE, messages: 2 },
  { bytes: `${"d".repeat(LONG)}\n<34>after it\n`, messages: 2 },
  { bytes: `${LONG} <34>${"e".repeat(LONG - 4)}9 <34>after`, messages: 2 },
];
const DATAGRAMS: readonly (string | Buffer)[] = [
  EVERY_BYTE,
  Buffer.alloc(60_000, 98),
  "<999>1 - - - -",
  '<34>1 2100-01-01T00:00:00Z host app - - [x y="\\"]',
  "<34>",
  "<",
];
const FILE = Buffer.concat([
  EVERY_BYTE, // two lines by its own line feed, the second goes on
  Buffer.from("\n\0\0hole\0\0\n"),
  Buffer.alloc(LONG, 102),
  Buffer.from([10, 0xff, 0xfe, 0xc3, 0x28, 10]),
  utf16("wide\n"),
  Buffer.from("\n"),
]);
const FILE_LINES = 6;

function openWorld(): House {
  return openHouse({ collectors: { syslog: { udpPort: 0, tcpPort: 0 } } });
}
const addressOf = (data: string): string =>
  (JSON.parse(readFileSync(join(data, "run.json"), "utf8")) as { address: string }).address;

async function ingest(
  data: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  const token = readFileSync(join(data, "ingest.token"), "utf8").trim();
  const answer = await fetch(`${addressOf(data)}/ingest`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  return { status: answer.status, ...((await answer.json()) as object) };
}

type Ports = { readonly udpPort: number; readonly tcpPort: number };
async function portsOf(data: string): Promise<Ports> {
  const { parts } = (await ask(data, "/api/status")) as { parts: { syslog: { data: Ports } } };
  return parts.syslog.data;
}

async function overTcp(port: number, bytes: string | Buffer): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => resolve());
    socket.resume();
    socket.end(bytes);
  });
}

async function overUdp(port: number, bytes: string | Buffer): Promise<void> {
  const socket = createSocket("udp4");
  await new Promise((resolve) => socket.send(bytes, port, "127.0.0.1", resolve));
  socket.close();
}

/** Of a process that has ended. */
async function deadLetters(data: string): Promise<DeadLetter[]> {
  const bus = openEmbeddedBus({ dir: data, clock: systemClock });
  const letters: DeadLetter[] = [];
  for (let partition = 0; partition < bus.partitions(TOPIC.deadLetter); partition++)
    for await (const { value } of bus.read(TOPIC.deadLetter, partition, 0))
      letters.push(value as DeadLetter);
  await bus.close();
  return letters;
}

test("whatever comes by HTTP, syslog or from a file: every line is an event, or a dead letter with its reason", async () => {
  const house = openHouse({
    collectors: {
      syslog: { udpPort: 0, tcpPort: 0 },
      files: [{ path: "bad.log" }],
    },
  });
  try {
    const { start, stop, data } = house.process("run");
    writeFileSync(join(house.dir, "bad.log"), FILE);
    await start();
    const answers: Record<string, unknown> = {};
    for (const { name, body, headers } of BODIES) answers[name] = await ingest(data, body, headers);
    expect(answers).toEqual(
      Object.fromEntries(BODIES.map(({ name, want }) => [name, expect.objectContaining(want)])),
    );
    const { udpPort, tcpPort } = await portsOf(data);
    for (const { bytes } of STREAMS) await overTcp(tcpPort, bytes);
    for (const bytes of DATAGRAMS) await overUdp(udpPort, bytes);
    const wanted = {
      local: Object.values(answers).reduce<number>(
        (sum, answer) => sum + Number((answer as { events?: number }).events ?? 0),
        0,
      ),
      syslog: STREAMS.reduce((sum, { messages }) => sum + messages, 0) + DATAGRAMS.length,
      file: FILE_LINES,
    };
    const counted = async () => {
      const counts: Record<string, number> = {};
      for (const { wache } of await everything<EcsEvent>(data, "/api/events"))
        counts[wache.source ?? ""] = (counts[wache.source ?? ""] ?? 0) + 1;
      return counts;
    };
    const all = (counts: Record<string, number>) =>
      JSON.stringify(Object.entries(counts).sort()) ===
      JSON.stringify(Object.entries(wanted).sort());
    expect(await until(counted, all, 20_000)).toEqual(wanted);
    expect(await ask(data, "/readyz")).toMatchObject({ ready: true });
    expect(await stop()).toBe(0);
    const letters = await deadLetters(data);
    expect(letters.map(({ code, raw }) => [code, raw.startsWith('{"a":{"a":{"a"')])).toEqual([
      ["json.too-deep", true],
      ["json.too-deep", false],
    ]);
    expect(letters.every(({ reason, raw }) => reason !== "" && raw.length > 100)).toBe(true);
  } finally {
    await house.dispose();
  }
});

const HIGH_WATER_MB_MAX = 700;

test("bodies of newlines, of empty JSON, of nothing but zip: memory stays bounded, and others are served", async () => {
  const house = openWorld();
  try {
    const { start, stop, data } = house.process("run");
    await start();
    const { pid } = JSON.parse(readFileSync(join(data, "run.json"), "utf8")) as { pid: number };
    const bytes = 32 * MEGABYTES - 16;
    const bomb = gzipSync(Buffer.alloc(bytes, 97));
    const answers = await Promise.all([
      ingest(data, Buffer.alloc(bytes, 10)),
      ingest(data, `[${"{},".repeat(bytes / 3 - 2)}{}]`, json),
      ...Array.from({ length: 30 }, () => ingest(data, bomb, { "content-encoding": "gzip" })),
    ]);
    for (const answer of answers) expect([200, 413, 503]).toContain(answer["status"]);
    expect(await ingest(data, "still here")).toMatchObject({ status: 200, events: 1 });
    const highWater = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    expect(Number(highWater) / 1024).toBeLessThan(HIGH_WATER_MB_MAX);
    expect(await stop()).toBe(0);
  } finally {
    await house.dispose();
  }
});

test("a full disk: senders wait, it says so, and once there is room it goes on and nothing acknowledged is lost", async ({
  skip,
}) => {
  const house = openHouse({
    collectors: { syslog: { enabled: false }, files: [{ path: "full.log" }] },
  });
  const one = house.process("run");
  const disk = mountSmallDisk(one.data, "size=48m");
  try {
    if (disk === undefined) return skip(NO_MOUNT);
    await one.start();
    const sent = async (from: number) => {
      const ids = Array.from({ length: 100 }, (_, at) => `id-${from + at}`);
      const lines = ids.map((id) => JSON.stringify({ event: { id }, message: "x".repeat(500) }));
      const { status } = await ingest(one.data, lines.join("\n"));
      return { ids, status };
    };
    const before = await sent(0);
    disk.fill();
    const waiting = Promise.all([sent(100), sent(200)]);
    waiting.catch(() => undefined); // looked at below
    appendFileSync(join(house.dir, "full.log"), "a line\n".repeat(100));
    const readiness = () =>
      ask(one.data, "/readyz").then(
        () => "ready",
        (error: Error) => error.message,
      );
    const words = "neither the bus nor the spool can be written: senders wait; free space";
    expect(await until(readiness, (text) => text.includes(words), 30_000)).toContain(words);
    disk.free();
    const answers = [before, ...(await waiting), await sent(300)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await until(readiness, (text) => text === "ready", 30_000)).toBe("ready");
    const kept = () => everything<EcsEvent>(one.data, "/api/events");
    const events = await until(kept, (found) => found.length >= 500, 30_000);
    const clients = events.map(({ event }) => event["client_id"]).filter((id) => id !== undefined);
    expect(clients.toSorted()).toEqual(answers.flatMap(({ ids }) => ids).toSorted());
    expect(events.filter(({ wache }) => wache.source === "file")).toHaveLength(100);
    expect(await one.stop()).toBe(0);
  } finally {
    await one.kill9();
    disk?.unmount();
    await house.dispose();
  }
});
