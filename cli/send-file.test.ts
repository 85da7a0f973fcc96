import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import type { Clock } from "../core/service.ts";
import { createIngest, type Ingest } from "./ingest.ts";
import { type SendOptions, sendFile } from "./send-file.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-send-"));
afterAll(() => rmSync(folder, { recursive: true }));
const nowMs = Date.UTC(2026, 10, 23, 12);
const clock: Clock = { ...systemClock, now: () => nowMs };
const options: SendOptions = { page: false, now: false, zone: "UTC" };

/** A collector that knows one stream: refuses gaps, takes what is new. */
function collector(begin: { position: number; ended?: boolean }) {
  const state = {
    position: begin.position,
    ended: begin.ended ?? false,
    lines: [] as string[],
    posts: [] as string[],
  };
  const ingest: Ingest = {
    get: async () => ({ status: 200, body: { position: state.position, ended: state.ended } }),
    post: async (path, body) => {
      const query = new URLSearchParams(path.split("?")[1]);
      const lines = body.toString().split("\n").slice(0, -1);
      const at = Number(query.get("position"));
      if (query.has("stream") && at > state.position)
        return { status: 409, body: { error: { code: "ingest.position", message: "a gap" } } };
      state.posts.push(path);
      const fresh = query.has("stream") ? lines.slice(state.position - at) : lines;
      state.lines.push(...fresh);
      state.position += fresh.length;
      state.ended ||= query.get("end") === "true";
      return {
        status: 200,
        body: {
          events: fresh.filter((line) => line !== "").length,
          late: fresh.filter((line) => line.includes("too old")).length,
          dead_letters: 0,
        },
      };
    },
  };
  return { state, ingest };
}

const lines = Array.from({ length: 1203 }, (_, index) =>
  index % 100 === 50 ? "" : `line ${index}`,
);
const content = `${lines.join("\n")}\n`;
const file = (name: string, data: string | Buffer): string => {
  writeFileSync(join(folder, name), data);
  return join(folder, name);
};
const send = (path: string, ingest: Ingest, over: Partial<SendOptions> = {}) =>
  sendFile(path, { ...options, ...over }, { ingest, clock, onProgress: () => {} });

test.for([
  { name: "from its begin", position: 0, sent: 1203, skipped: 0 },
  { name: "from the middle of a batch", position: 707, sent: 496, skipped: 707 },
  { name: "from a batch's begin", position: 1000, sent: 203, skipped: 1000 },
  { name: "from its last line", position: 1202, sent: 1, skipped: 1202 },
  { name: "only the end is missing", position: 1203, sent: 0, skipped: 1203 },
])("a file is sent $name, and its stream ends", async ({ position, sent, skipped }) => {
  const { state, ingest } = collector({ position });
  const result = await send(file("a.log", content), ingest);
  expect(result).toMatchObject({ lines: 1203, sent, skipped, wasComplete: false });
  expect(state.lines).toEqual(lines.slice(position));
  for (const post of state.posts)
    expect(new URLSearchParams(post.split("?")[1]).get("path")).toBe(join(folder, "a.log"));
  expect({ position: state.position, ended: state.ended }).toEqual({ position: 1203, ended: true });
});

test("what the collector found too late is added up over the batches", async () => {
  const log = lines.map((line, index) => (index % 400 === 1 ? `${line} too old` : line));
  const { ingest } = collector({ position: 2 });
  expect(await send(file("late.log", `${log.join("\n")}\n`), ingest)).toMatchObject({ late: 3 });
});

test("a file that was imported adds nothing", async () => {
  const { state, ingest } = collector({ position: 1203, ended: true });
  expect(await send(file("a.log", content), ingest)).toMatchObject({ sent: 0, wasComplete: true });
  expect(state.posts).toEqual([]);
});

test("the same content is the same stream, packed or not, whatever its name; other content another", async () => {
  const name = async (path: string) => (await send(path, collector({ position: 0 }).ingest)).stream;
  const plain = await name(file("one.log", content));
  expect(plain).toMatch(/^import-[0-9a-f]{24}$/);
  expect(await name(file("two.log.gz", gzipSync(content)))).toBe(plain);
  expect(await name(file("three.log", `${content}x`))).not.toBe(plain);
});

test("an empty file is a stream that has ended", async () => {
  const { state, ingest } = collector({ position: 0 });
  expect(await send(file("empty", ""), ingest)).toMatchObject({ lines: 0, sent: 0 });
  expect(state).toMatchObject({ position: 0, ended: true });
});

test("with --now the last line's time is now, and what the collector found too late is told", async () => {
  const { state, ingest } = collector({ position: 0 });
  const log = [
    "2026-03-01T00:00:00Z too old",
    "2026-03-01T00:49:59Z a second too old",
    "2026-03-01T00:50:00Z just in time",
    "2026-03-01T01:00:00Z the last",
    "without a time",
  ];
  const json = log.map((line) =>
    JSON.stringify({ "@timestamp": line.slice(0, 20), message: line.slice(21) }),
  );
  json[4] = "without a time";
  const result = await send(file("now.log", `${json.join("\n")}\n`), ingest, {
    now: true,
    page: true,
  });
  expect(result).toMatchObject({ sent: 5, late: 2 });
  const query = new URLSearchParams(state.posts[0]?.split("?")[1]);
  expect(query.get("shift_ms")).toBe(String(nowMs - Date.UTC(2026, 2, 1, 1)));
  expect([query.has("stream"), query.has("position")]).toEqual([false, false]);
});

test("a refusal says why", async () => {
  const ingest: Ingest = {
    get: async () => ({ status: 200, body: { position: 0, ended: false } }),
    post: async () => ({ status: 400, body: { error: { code: "x.y", message: "the words" } } }),
  };
  await expect(send(file("b.log", "x\n"), ingest)).rejects.toThrow(
    /b\.log was refused with HTTP 400: the words/,
  );
});

test("busy and absent collectors are waited for, in growing steps, and not for ever", async () => {
  const waits: number[] = [];
  let time = 0;
  const stepping: Clock = {
    ...systemClock,
    now: () => time,
    sleep: async (ms) => {
      waits.push(ms);
      time += ms;
    },
  };
  const answers = [
    () =>
      Promise.reject(new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") })),
    async () => new Response("{}", { status: 503, headers: { "retry-after": "2" } }),
    async () => new Response('{"error":{"message":"slow down"}}', { status: 429 }),
    async () => new Response('{"position":7}', { status: 200 }),
  ];
  const said: string[] = [];
  const make = (fetch: () => Promise<Response>) =>
    createIngest({
      find: () => ({ url: "http://wache.test", token: "t" }),
      clock: stepping,
      fetch: fetch as unknown as typeof globalThis.fetch,
      onWait: (reason) => said.push(reason),
    });
  const answer = await make(() =>
    (answers.shift() ?? (async () => new Response("", { status: 500 })))(),
  ).get("/x");
  expect(answer).toEqual({ status: 200, body: { position: 7 } });
  expect(waits).toEqual([200, 2000, 800]);
  expect(said).toEqual([
    "http://wache.test does not answer: connect ECONNREFUSED",
    "http://wache.test asks to wait: 503",
    "http://wache.test asks to wait: slow down",
  ]);
  said.length = 0;
  const begunMs = time;
  await expect(make(async () => new Response("", { status: 503 })).get("/x")).rejects.toMatchObject(
    {
      code: "cli.unreachable",
      exitCode: 4,
    },
  );
  expect(said).toEqual(["http://wache.test asks to wait: 503"]); // the same reason is told once
  expect(time - begunMs).toBeLessThanOrEqual(120_000);
});
