// collect.test.ts — the service as a whole: requests and sockets in, records on the bus out.
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, readFileSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { idOf } from "../core/event.ts";
import { collectService } from "./collect.ts";
import { makeRig, PARTITIONS, type Rig, until } from "./fixtures/rig.ts";

type Running = Rig & { readonly token: string; readonly stop: () => Promise<void> };
const running: Running[] = [];
async function start(options: Parameters<typeof makeRig>[0] = {}): Promise<Running> {
  const rig = makeRig(options);
  const { stop } = await collectService.start(rig.context);
  await rig.app.ready();
  const token = readFileSync(join(rig.dir, "ingest.token"), "utf8").trim();
  let stopped: Promise<void> | undefined;
  const stopOnce = (): Promise<void> => {
    stopped ??= stop();
    return stopped;
  };
  const all = { ...rig, token, stop: stopOnce };
  running.push(all);
  return all;
}
afterEach(async () => {
  for (const one of running.splice(0)) {
    one.bus.release();
    await one.stop();
    await one.remove();
  }
});

type Headers = Record<string, string>;
const post = (rig: Running, query: string, body: string | Buffer, headers: Headers = {}) =>
  rig.app.inject({
    method: "POST",
    url: `/ingest${query}`,
    payload: body,
    headers: { authorization: `Bearer ${rig.token}`, "content-type": "text/plain", ...headers },
  });

test("it listens once the bus has its first tick", async () => {
  const rig = makeRig();
  rig.bus.mode = "hangs";
  let isUp = false;
  const starting = collectService.start(rig.context).then((service) => {
    isUp = true;
    return service;
  });
  await until(() => rig.bus.hangingRecords === PARTITIONS);
  await rig.clock.advance(4000);
  expect([isUp, rig.app.hasRoute({ method: "POST", url: "/ingest" })]).toEqual([false, false]);
  rig.bus.release();
  const service = await starting;
  expect(rig.bus.ticks.map(({ idle }) => idle)).toEqual([undefined, undefined, undefined]);
  expect(rig.app.hasRoute({ method: "POST", url: "/ingest" })).toBe(true);
  await service.stop();
  await rig.remove();
});

test.for([
  { name: "plain lines", type: "text/plain", body: "one\r\n\r\ntwo\n", want: ["one", "two"] },
  { name: "no type at all", type: "", body: "one", want: ["one"] },
  {
    name: "a form, as curl says it is",
    type: "application/x-www-form-urlencoded",
    body: "a=b&c",
    want: ["a=b&c"],
  },
  { name: "a JSON object", type: "application/json", body: '{"message":"one"}', want: ["one"] },
  {
    name: "a JSON array with a plain value",
    type: "application/json; charset=utf-8",
    body: '[{"message":"one"},2,null,"three"]',
    want: ["one", "2", "null", "three"],
  },
  {
    name: "JSON lines",
    type: "application/x-ndjson",
    body: '{"message":"one"}\n{"message":"two"}',
    want: ["one", "two"],
  },
  {
    name: "JSON lines that call themselves JSON",
    type: "application/json",
    body: '{"message":"one"}\n{"message":"two"}\n',
    want: ["one", "two"],
  },
  { name: "nothing", type: "text/plain", body: "\n\n", want: [] },
])("ingest: $name", async ({ type, body, want }) => {
  const rig = await start();
  const answer = await post(rig, "", body, { "content-type": type });
  expect([answer.statusCode, answer.json()]).toEqual([
    200,
    { accepted: want.length, events: want.length, late: 0, dead_letters: 0 },
  ]);
  expect(rig.bus.events.map((event) => event.message)).toEqual(want);
});

test("ingest: the file that lines are from is kept with them", async () => {
  const rig = await start();
  const path = encodeURIComponent("/var/log/ä b.log");
  const answers = [
    await post(rig, `?path=${path}&stream=a&end=true`, "old"),
    await post(rig, `?path=${path}`, "new"),
    await post(rig, "?path=%0a", "refused"),
  ];
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 400]);
  expect(rig.bus.events.map(({ message, log }) => [message, log])).toEqual(
    ["old", "new"].map((message) => [message, { file: { path: "/var/log/ä b.log" } }]),
  );
});

test("ingest: compressed lines are unpacked, and a bomb is refused", async () => {
  const rig = await start({ collectors: { http: { bodyBytesMax: 2048 } } });
  const good = await post(rig, "", gzipSync("one\ntwo"), { "content-encoding": "gzip" });
  expect(good.json()).toMatchObject({ accepted: 2 });
  const bomb = await post(rig, "", gzipSync("x".repeat(1e6)), { "content-encoding": "gzip" });
  const long = await post(rig, "", "x".repeat(3000));
  const other = await post(rig, "", "x", { "content-encoding": "lzma" });
  expect([bomb, long, other].map((one) => [one.statusCode, one.json().error.code])).toEqual([
    [413, "ingest.body-too-long"],
    [413, "ingest.body-too-long"],
    [415, "ingest.encoding"],
  ]);
  expect(rig.bus.events).toHaveLength(2);
});

test.for([
  { name: "no token", query: "", headers: { authorization: "" }, want: [401, "ingest.token"] },
  {
    name: "a wrong one",
    query: "",
    headers: { authorization: "Bearer x" },
    want: [401, "ingest.token"],
  },
  { name: "an unknown parameter", query: "?strem=a", headers: {}, want: [400, "ingest.parameter"] },
  { name: "the live stream", query: "?stream=live", headers: {}, want: [400, "ingest.parameter"] },
  {
    name: "a place without a stream",
    query: "?position=3",
    headers: {},
    want: [400, "ingest.parameter"],
  },
  {
    name: "a place beyond the stream",
    query: "?stream=a&position=3",
    headers: {},
    want: [409, "ingest.position"],
  },
  {
    name: "broken JSON",
    query: "",
    headers: { "content-type": "application/json" },
    want: [400, "ingest.json"],
  },
])("ingest refuses $name", async ({ query, headers, want }) => {
  const rig = await start();
  const answer = await post(rig, query, "{a", headers as Headers);
  expect([answer.statusCode, answer.json().error.code]).toEqual(want);
  expect(rig.bus.events).toEqual([]);
});

test("a source's token speaks for that source only; the machine's own for any", async () => {
  const sources = [
    { name: "web", token: "t-web", zone: "Europe/Berlin", logSource: { product: "p" } },
  ];
  const rig = await start({ collectors: { http: { sources } } });
  const web = { authorization: "Bearer t-web" };
  await post(rig, "", "2026-01-15 12:00:00 hello", web);
  expect((await post(rig, "?source=other", "x", web)).statusCode).toBe(403);
  await post(rig, "?source=other", "y");
  expect(
    rig.bus.events.map((event) => [event["@timestamp"], event.wache.source, event.wache.sources]),
  ).toEqual([
    ["2026-01-15T11:00:00.000Z", "web", [{ product: "p" }]],
    ["2026-01-15T12:00:00.000Z", "other", []],
  ]);
});

test("identity: by the client's id, by the batch's key, else each receipt is its own", async () => {
  const rig = await start();
  const ids = (): string[] => rig.bus.events.splice(0).map((event) => event.event.id);
  await post(rig, "", '{"event":{"id":"a"}}\n{"event.id":"a"}');
  expect(ids()).toEqual(Array(2).fill(idOf("client", "local", "a")));
  rig.bus.records.length = 0;
  await post(rig, "", "x\nx", { "idempotency-key": "k" });
  expect(ids()).toEqual([idOf("k", "local", 0), idOf("k", "local", 1)]);
  rig.bus.records.length = 0;
  await post(rig, "", "x\nx");
  expect(new Set(ids()).size).toBe(2);
});

test("a stream is resumed where it stands, ends once, and takes nothing after", async () => {
  const rig = await start();
  const ask = async () =>
    (
      await rig.app.inject({
        url: "/ingest/streams/s1",
        headers: { authorization: `Bearer ${rig.token}` },
      })
    ).json();
  expect(await ask()).toEqual({ name: "s1", position: 0, ended: false });
  const first = await post(rig, "?stream=s1&position=0", "a\n\nb\n");
  expect(first.json()).toEqual({ accepted: 2, events: 2, late: 0, dead_letters: 0, position: 3 });
  expect(await ask()).toEqual({ name: "s1", position: 3, ended: false });
  const overlap = await post(rig, "?stream=s1&position=2&end=true&page=true", "b\nc\n");
  expect(overlap.json()).toMatchObject({ accepted: 1, position: 4 });
  const again = await post(rig, "?stream=s1&position=0&end=true", "a\n\nb\nc\n");
  expect(again.json()).toMatchObject({ accepted: 0, duplicate_stream: true, position: 4 });
  expect(await ask()).toEqual({ name: "s1", position: 4, ended: true });
  expect(
    rig.bus.events.map(({ message, event, wache }) => [message, event.id, wache.page]),
  ).toEqual([
    ["a", idOf("s1", 0), undefined],
    ["b", idOf("s1", 2), undefined],
    ["c", idOf("s1", 3), true],
  ]);
  const ends = rig.bus.ticks.filter((tick) => tick.end === true);
  expect(ends.map((tick) => tick.stream)).toEqual(["s1", "s1", "s1"]);
});

test("the answer counts what came later than the lateness, of a repeated batch what was new", async () => {
  const rig = await start();
  const late = async (query: string, body: string, headers = {}): Promise<number> =>
    (await post(rig, query, body, headers)).json().late;
  const at = (ms: number): string => `${new Date(ms).toISOString()} x`;
  const now = rig.clock.now();
  expect(await late("", [at(now), at(now - 599_999), at(now - 600_001)].join("\n"))).toBe(1);
  const steady = Array(1_001).fill(at(now));
  const stream = [...steady, at(now - 600_000), at(now - 600_001), at(now - 700_000)];
  expect(await late("?stream=s&position=0", steady.join("\n"))).toBe(0);
  expect(await late("?stream=s&position=0", stream.join("\n"))).toBe(2);
  expect(await late("?stream=s&position=0", stream.join("\n"))).toBe(0);
  expect(rig.bus.events.filter(({ wache }) => wache.late === true)).toHaveLength(3);
});

test("a stream whose sender died is ended by hand, with an empty body", async () => {
  const rig = await start();
  expect((await post(rig, "?stream=s1", "a\n")).json()).toMatchObject({ accepted: 1 });
  expect((await post(rig, "?stream=s1&end=true", "")).statusCode).toBe(200);
  const ends = rig.bus.ticks.filter((tick) => tick.end === true);
  expect(ends.map((tick) => tick.stream)).toEqual(["s1", "s1", "s1"]);
});

test("a request waits for the bus, is refused when the queue stays full, and what it got a yes for is durable", async () => {
  const rig = await start({ collectors: { queueBytesMax: 1_048_576, spoolBytesMax: 0 } });
  rig.bus.mode = "hangs";
  const lines = "x".repeat(100_000);
  let answered = false;
  const slow = post(rig, "", Array(8).fill(lines).join("\n")).then((answer) => {
    answered = true;
    return answer.statusCode;
  });
  await until(() => rig.bus.hangingRecords >= 8);
  const refused = post(rig, "", "x");
  await rig.clock.advance(100);
  await rig.clock.advance(6_000);
  const { statusCode, headers } = await refused;
  expect([statusCode, headers["retry-after"], answered]).toEqual([503, "2", false]);
  rig.bus.release();
  expect(await slow).toBe(200);
  expect(rig.bus.events).toHaveLength(8);
});

const portsOf = (rig: Rig) =>
  rig.context.status.all().syslog?.data as { readonly udpPort: number; readonly tcpPort: number };

test("syslog: UDP, TCP by lines and by counted octets, half frames, binary and long lines all become events", async () => {
  const rig = await start({
    collectors: { syslog: { udpPort: 0, tcpPort: 0 }, lineBytesMax: 256 },
  });
  const { udpPort, tcpPort } = portsOf(rig);
  const udp = createSocket("udp4");
  await new Promise((resolve) =>
    udp.send("<13>Jan 15 11:59:00 web app: by udp", udpPort, "127.0.0.1", resolve),
  );
  udp.close();
  await until(() => rig.bus.events.length === 1);
  const tcp = connect(tcpPort, "127.0.0.1");
  tcp.write("<13>Jan 15 11:59:00 web app: by line\n");
  const counted = "<13>1 2026-01-15T11:59:00Z web app - - - two\nlines";
  tcp.write(`${Buffer.byteLength(counted)} ${counted}`);
  tcp.write(Buffer.from([0xff, 0xfe, 0x00, 0x41, 0x0a]));
  tcp.write(`${"y".repeat(300)}\n`);
  tcp.end("<13>half");
  await until(() => rig.bus.events.length === 6);
  expect(rig.bus.events.map((event) => [event.message, event.wache.truncatedBytes ?? 0])).toEqual([
    ["by udp", 0],
    ["by line", 0],
    ["two\nlines", 0],
    ["ÿþ\u0000A", 0],
    ["y".repeat(256), 44],
    ["half", 0],
  ]);
});

test("syslog: more connections than allowed are refused, a port in use stops the start in words", async () => {
  const rig = await start({
    collectors: { syslog: { udpPort: 0, tcpPort: 0, connectionsMax: 1 } },
  });
  const { tcpPort } = portsOf(rig);
  const first = connect(tcpPort, "127.0.0.1");
  first.write("a\n");
  await until(() => rig.bus.events.length === 1);
  const second = connect(tcpPort, "127.0.0.1");
  await new Promise((resolve) => second.on("close", resolve));
  first.destroy();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const bound = other.address();
  const port = typeof bound === "object" ? bound?.port : 0;
  const clash = makeRig({ collectors: { syslog: { udpPort: 0, tcpPort: port } } });
  await expect(collectService.start(clash.context)).rejects.toMatchObject({
    code: "collectors.syslog-port",
    message: expect.stringContaining(`TCP port ${port}`),
  });
  other.close();
  await clash.remove();
});

test.skipIf(!existsSync("/usr/bin/logger"))("syslog: logger(1) by RFC 3164 and 5424", async () => {
  const rig = await start();
  const { udpPort, tcpPort } = portsOf(rig);
  const send = (...args: string[]): unknown =>
    execFileSync("/usr/bin/logger", ["-n", "127.0.0.1", "-t", "sshd", "-p", "auth.info", ...args]);
  const text = "Failed password for root from 203.0.113.7 port 22 ssh2";
  send("-d", "-P", String(udpPort), "--rfc3164", text);
  send("-T", "-P", String(tcpPort), "--rfc5424", text);
  send("-T", "-P", String(tcpPort), "--rfc5424", "--octet-count", text);
  await until(() => rig.bus.events.length === 3);
  for (const event of rig.bus.events)
    expect(event).toMatchObject({
      message: text,
      event: { action: "ssh_login", outcome: "failure" },
      source: { ip: "203.0.113.7", port: 22 },
      user: { name: "root" },
      log: { syslog: { priority: 38, appname: "sshd" } },
    });
});

test("the feeder and the token stay after a restart, and belong to the owner", async () => {
  const first = await start();
  const feeder = readFileSync(join(first.dir, "feeder.id"), "utf8");
  await first.stop();
  const second = await start({ dir: first.dir });
  expect([second.token, readFileSync(join(second.dir, "feeder.id"), "utf8")]).toEqual([
    first.token,
    feeder,
  ]);
  expect(statSync(join(second.dir, "ingest.token")).mode & 0o777).toBe(0o600);
  await until(() => second.bus.ticks.length > 0);
  expect(second.bus.ticks.map((tick) => tick.feeder).at(0)).toBe(feeder.trim());
});

test("a zone that does not exist stops the start in words", async () => {
  const rig = makeRig({ time: { zone: "Europe/Berlim" } });
  await expect(collectService.start(rig.context)).rejects.toMatchObject({
    code: "collectors.zone",
  });
  await rig.remove();
});

test("dead letters come back over the socket in the data folder only", async () => {
  const rig = await start();
  const url = "/collect/dead-letters";
  const answer = await rig.app.inject({ method: "POST", url, payload: { letters: [] } });
  expect(answer.statusCode).toBe(404);
});
