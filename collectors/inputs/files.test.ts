// files.test.ts — what log rotation and restarts do to a file that is followed.
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { readiness } from "../../core/status.ts";
import { collectService } from "../collect.ts";
import { makeRig, type Rig, until } from "../fixtures/rig.ts";

type Following = Rig & {
  readonly log: string;
  readonly poll: (times?: number) => Promise<void>;
  readonly messages: () => (string | undefined)[];
  readonly state: () => object;
  readonly errors: readonly string[]; // of the log
  readonly stop: () => Promise<void>;
};
const open: Following[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) {
    one.bus.release();
    await one.stop();
    await one.remove();
  }
});

type How = { readonly dir?: string; readonly pattern?: string; readonly from?: "start" | "end" };
async function follow({ dir, pattern = "app.log", from = "start" }: How = {}): Promise<Following> {
  const holder = dir === undefined ? makeRig() : undefined;
  const home = dir ?? holder?.dir ?? "";
  const folder = join(home, "logs");
  mkdirSync(folder, { recursive: true });
  const files = [{ path: join(folder, pattern), from, name: "app" }];
  const rig = makeRig({
    dir: home,
    collectors: { files, lineBytesMax: 256, syslog: { enabled: false } },
  });
  const errors: string[] = [];
  rig.context.log.error = (_about: unknown, text?: string) => void errors.push(text ?? "");
  let running: Awaited<ReturnType<typeof collectService.start>> | undefined;
  let stopped: Promise<void> | undefined;
  const polls = (): number => rig.clock.sleeps.get(500) ?? 0; // it sleeps after each look
  const poll = async (times = 1): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const before = polls();
      if (running === undefined) running = await collectService.start(rig.context);
      else await rig.clock.advance(500);
      await until(() => polls() > before);
    }
  };
  const following: Following = {
    ...rig,
    log: join(folder, "app.log"),
    poll,
    messages: () => rig.bus.events.map((event) => event.message),
    state: () => readiness(rig.context.status).parts.files ?? {},
    errors,
    stop: () => {
      stopped ??= running?.stop() ?? Promise.resolve();
      return stopped;
    },
  };
  open.push(following);
  return following;
}
const ids = (one: Following): string[] => one.bus.events.map((event) => event.event.id);

test("complete lines, CRLF too; the last one waits for its end; a file may come later", async () => {
  const one = await follow();
  await one.poll();
  writeFileSync(one.log, "a\r\n\r\nb\npart");
  await one.poll(2);
  expect(one.messages()).toEqual(["a", "b"]);
  appendFileSync(one.log, "ial\n");
  await one.poll(2);
  expect(one.messages()).toEqual(["a", "b", "partial"]);
  expect(one.bus.events[0]).toMatchObject({
    log: { file: { path: one.log } },
    wache: { source: "app", stream: "live" },
  });
});

test("renamed and created anew: the old file to its end, its last line without one, then the new", async () => {
  const one = await follow();
  writeFileSync(one.log, "a\n");
  await one.poll(2);
  appendFileSync(one.log, "b\nlast words");
  renameSync(one.log, `${one.log}.1`);
  appendFileSync(`${one.log}.1`, "!");
  writeFileSync(one.log, "c\n");
  await one.poll(20);
  expect(one.messages().toSorted()).toEqual(["a", "b", "c", "last words!"]);
});

test("renamed while nobody looked: what was unread is read, nothing twice", async () => {
  const first = await follow();
  writeFileSync(first.log, "a\n");
  await first.poll(2);
  await first.stop();
  appendFileSync(first.log, "b\n");
  renameSync(first.log, `${first.log}.1`);
  writeFileSync(first.log, "c\n");
  const second = await follow({ dir: first.dir });
  await second.poll(3);
  expect(second.messages().toSorted()).toEqual(["b", "c"]);
});

test.for([
  {
    name: "cut to nothing and written anew",
    harm: (log: string) => {
      truncateSync(log);
      appendFileSync(log, "c\n");
    },
  },
  {
    name: "copied and cut",
    harm: (log: string) => {
      copyFileSync(log, `${log}.1`);
      truncateSync(log);
      appendFileSync(log, "c\n");
    },
  },
  {
    name: "replaced in place by something longer",
    harm: (log: string) => writeFileSync(log, "c\ndddddddddddddddd\n"),
  },
])("$name: a new generation from its beginning", async ({ harm }) => {
  const one = await follow();
  writeFileSync(one.log, "a\nb\n");
  await one.poll(2);
  harm(one.log);
  await one.poll(3);
  expect(one.messages().slice(0, 3)).toEqual(["a", "b", "c"]);
  expect(new Set(ids(one)).size).toBe(one.bus.events.length);
});

test("a restart goes on from the checkpoint; equal lines in one file have names of their own", async () => {
  const first = await follow();
  writeFileSync(first.log, "a\na\n");
  await first.poll(2);
  await first.stop();
  appendFileSync(first.log, "a\n");
  const second = await follow({ dir: first.dir });
  await second.poll(2);
  expect([first.messages(), second.messages()]).toEqual([["a", "a"], ["a"]]);
  expect(new Set([...ids(first), ...ids(second)]).size).toBe(3);
});

test("a crash before the checkpoint: the same lines again, under the same names", async () => {
  const first = await follow();
  writeFileSync(first.log, "a\nb\n");
  await first.poll(2);
  await first.stop();
  appendFileSync(first.log, "c\nd\n");
  const db = join(first.dir, "collector.db");
  copyFileSync(db, `${db}.before`);
  const crashed = await follow({ dir: first.dir });
  await crashed.poll(2);
  await crashed.stop();
  renameSync(`${db}.before`, db); // the records reached the bus, the checkpoint did not reach the disk
  const last = await follow({ dir: first.dir });
  await last.poll(2);
  expect([crashed.messages(), last.messages()]).toEqual([
    ["c", "d"],
    ["c", "d"],
  ]);
  expect(ids(last)).toEqual(ids(crashed));
});

test("lines longer than allowed are cut and say by how much", async () => {
  const one = await follow();
  writeFileSync(one.log, `${"x".repeat(256)}\n${"y".repeat(1_000_000)}\nz\n`);
  await one.poll(4);
  expect(
    one.bus.events.map(({ message, wache }) => [message?.length, wache.truncatedBytes]),
  ).toEqual([
    [256, undefined],
    [256, 999_744],
    [1, undefined],
  ]);
});

test("a pattern follows each file once, whatever it is called by now", async () => {
  const one = await follow({ pattern: "app.log*" });
  writeFileSync(one.log, "a\n");
  await one.poll(2);
  renameSync(one.log, `${one.log}.1`);
  writeFileSync(one.log, "b\n");
  await one.poll(20);
  rmSync(`${one.log}.1`);
  await one.poll(20);
  expect(one.messages()).toEqual(["a", "b"]);
});

test("from the end: what was there is left, what comes is read, also after a rotation", async () => {
  const holder = makeRig();
  mkdirSync(join(holder.dir, "logs"));
  writeFileSync(join(holder.dir, "logs", "app.log"), "old\n");
  const one = await follow({ dir: holder.dir, from: "end" });
  await one.poll(2);
  appendFileSync(one.log, "new\n");
  await one.poll(2);
  renameSync(one.log, `${one.log}.1`);
  writeFileSync(one.log, "newer\n");
  await one.poll(2);
  expect(one.messages()).toEqual(["new", "newer"]);
});

test.for([
  { name: "removed", mend: (bad: string) => rmSync(bad) },
  { name: "renamed to what no pattern names", mend: (bad: string) => renameSync(bad, `${bad}~`) },
  {
    name: "replaced by one that can be read",
    mend: (bad: string) => {
      rmSync(bad);
      writeFileSync(bad, "b\n");
    },
  },
])("a file that cannot be read is told once, and no more when it is $name", async ({ mend }) => {
  const one = await follow({ pattern: "app.?" });
  const bad = join(one.dir, "logs", "app.1");
  symlinkSync("/proc/self/mem", bad); // for root too: its first bytes cannot be read
  await one.poll(3);
  expect(one.errors).toEqual([`a file cannot be followed: EIO: i/o error, read`]);
  expect(one.state()).toEqual({ ok: false, text: expect.stringContaining(`${bad}: EIO`) });
  mend(bad);
  await one.poll(1);
  expect(one.state()).toEqual({ ok: true, text: expect.stringMatching(/^follows \d files$/) });
});
