// files.ts — follows log files: new ones that a pattern names, renamed ones to their end, each from its checkpoint.
//
// In:    folders and files, looked at twice a second.
// Out:   an event a line, its id made of the content's generation and the line's place.
// Holds: what was acknowledged by the bus is not read again after a restart; what was not is, under the same ids;
//        a full queue stops the reading.
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../../core/config-schema.ts";
import { messageOf } from "../../core/errors.ts";
import { idOf, LIVE } from "../../core/event.ts";
import { pathFault } from "../../core/path-fault.ts";
import type { FileCheckpoint } from "../collector-db.ts";
import { type Origin, stampLine } from "../stamp.ts";
import { FileTail, type TailedLines } from "./file-tail.ts";
import { filesOf, listOf } from "./glob.ts";
import { type Input, type Intake, submitLines } from "./intake.ts";

type FileConfig = Config["collectors"]["files"][number];

const POLL_MS = 500;
const tailsMax = 2_000; // open files
const checkpointsMax = 20_000;

export async function startFiles(intake: Intake): Promise<Input> {
  const stopping = new AbortController();
  const follower = new Follower(intake);
  const loop = follow(intake, follower, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await loop;
      await follower.close();
    },
  };
}

async function follow(intake: Intake, follower: Follower, stopping: AbortSignal): Promise<void> {
  const { clock, log } = intake.context;
  let failure = ""; // said once: a disk that is full must not be filled by what is said of it
  while (!stopping.aborted) {
    let more = false;
    try {
      more = await follower.poll(stopping);
      failure = "";
    } catch (error) {
      const text = `following files failed, trying again: ${messageOf(error)}`;
      if (text !== failure) log.error({ err: error }, text);
      failure = text;
      follower.sayFailed(text);
    }
    if (!more) await clock.sleep(POLL_MS, stopping);
  }
}

class Follower {
  readonly #intake: Intake;
  readonly #checkpoints: Map<string, FileCheckpoint>; // as they stood at the start
  readonly #followedPaths: ReadonlySet<string>;
  readonly #tails = new Map<string, { readonly tail: FileTail; readonly config: FileConfig }>();
  #faults = new Map<string, string>(); // that this look met
  #faultsBefore = this.#faults; // that the look before met
  #isFirst = true;
  #said = "";

  constructor(intake: Intake) {
    this.#intake = intake;
    const known = intake.db.files();
    for (const old of known.slice(0, Math.max(0, known.length - checkpointsMax)))
      intake.db.removeFile(old.inode);
    this.#checkpoints = new Map(known.map((file) => [file.inode, file]));
    this.#followedPaths = new Set(known.map((file) => file.path));
  }

  /** Says whether a file has more to read at once. */
  async poll(stopping: AbortSignal): Promise<boolean> {
    const named = new Set<string>();
    this.#faultsBefore = this.#faults;
    this.#faults = new Map();
    for (const config of this.#intake.config.files) {
      if (this.#isFirst) await this.#openRenamed(config);
      for (const path of filesOf(config.path)) {
        const inode = await this.#meet(path, config);
        if (inode !== undefined) named.add(inode);
      }
    }
    this.#isFirst = false;
    let more = false;
    for (const [inode, { tail }] of this.#tails) {
      if (stopping.aborted) return false;
      tail.isGone = !named.has(inode);
      if (await tail.read()) more = true;
      if (!tail.isDone) continue;
      await tail.close();
      this.#tails.delete(inode);
    }
    this.#sayState();
    return more;
  }

  sayFailed(text: string): void {
    if (text === this.#said) return;
    this.#said = text;
    this.#intake.context.status.set("files", { ok: false, text });
  }

  async close(): Promise<void> {
    for (const { tail } of this.#tails.values()) await tail.close();
    this.#tails.clear();
  }

  /** The file at a path, opened where it is new; gives its inode. */
  async #meet(path: string, config: FileConfig): Promise<string | undefined> {
    const inode = inodeOf(path);
    if (inode === undefined) return undefined;
    const known = this.#tails.get(inode);
    if (known !== undefined) {
      known.tail.path = path;
      return inode;
    }
    if (this.#tails.size >= tailsMax) {
      this.#fault(path, `more than ${tailsMax} files are followed already`);
      return undefined;
    }
    try {
      const isOld = this.#isFirst && !this.#followedPaths.has(path);
      const tail = await FileTail.open({
        parts: this.#partsOf(config),
        path,
        checkpoint: this.#intake.db.file,
        fromEnd: config.from === "end" && isOld,
      });
      this.#tails.set(tail.inode, { tail, config });
      return tail.inode;
    } catch (error) {
      this.#fault(path, pathFault(error, path));
      return undefined;
    }
  }

  /** Files that were renamed while nobody looked, and still hold unread lines. */
  async #openRenamed(config: FileConfig): Promise<void> {
    const folder = dirname(config.path);
    const wanted = new Set(
      [...this.#checkpoints.values()]
        .filter((file) => dirname(file.path) === folder)
        .map((file) => file.inode),
    );
    if (wanted.size === 0) return;
    for (const name of listOf(folder)) {
      const path = join(folder, name);
      const inode = inodeOf(path);
      if (inode === undefined || !wanted.has(inode)) continue;
      const file = this.#checkpoints.get(inode);
      if (file === undefined || statSync(path).size <= file.offset) continue;
      await this.#meet(path, config);
    }
  }

  #partsOf(config: FileConfig) {
    const { db, context, config: all } = this.#intake;
    return {
      db,
      now: context.clock.now,
      random: context.random,
      lineBytesMax: all.lineBytesMax,
      send: (lines: TailedLines) => send(this.#intake, config, lines),
    };
  }

  #fault(path: string, text: string): void {
    if (this.#faults.get(path) === text) return; // two patterns name it
    this.#faults.set(path, text);
    if (this.#faultsBefore.get(path) !== text)
      this.#intake.context.log.error({ path }, `a file cannot be followed: ${text}`);
  }

  #sayState(): void {
    const faults = [...this.#faults].map(([path, text]) => `${path}: ${text}`);
    const text = [`follows ${this.#tails.size} files`, ...faults.slice(0, 5)].join("; ");
    if (text === this.#said) return;
    this.#said = text;
    this.#intake.context.status.set("files", { ok: faults.length === 0, ready: true, text });
  }
}

function send(
  intake: Intake,
  config: FileConfig,
  { path, generation, changedMs, lines }: TailedLines,
): Promise<void> {
  const origin: Origin = {
    feeder: intake.feeder,
    stream: LIVE,
    source: config.name ?? "file",
    zone: config.zone ?? intake.zone,
    latenessMs: intake.latenessMs,
    sourcesOf: intake.sourcesOf,
    path,
    ...(config.logSource === undefined ? {} : { logSource: config.logSource }),
  };
  return submitLines(intake, {
    input: "file",
    lines,
    stamp: (line, _index, receiptMs, out) =>
      stampLine(
        line,
        origin,
        {
          receiptMs,
          yearHintMs: changedMs,
          id: (repeat) =>
            repeat === undefined
              ? idOf("file", generation, line.offset)
              : idOf("file", generation, line.offset, repeat),
          clock: () => receiptMs,
        },
        out,
      ),
  });
}

function inodeOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true });
    return stat.isFile() ? `${stat.dev}:${stat.ino}` : undefined;
  } catch {
    return undefined; // it may come yet
  }
}
