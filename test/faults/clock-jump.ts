// clock-jump.ts — loaded into a process before anything else: its wall clock jumps when a file says by how much.
//
// `node --import=<this>?by=<file>`: the file holds milliseconds; it is absent while the clock is right. As in a real
// jump, timers and performance.now() go on as they were. A process's workers load it too.
import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 20;

const file = new URL(import.meta.url).searchParams.get("by") ?? "";
const systemNow = Date.now;
let jumpMs = 0;

function look(): void {
  try {
    jumpMs = Number(readFileSync(file, "utf8"));
  } catch {
    jumpMs = 0;
  }
}

look();
setInterval(look, LOOK_EVERY_MS).unref();
Date.now = () => systemNow() + jumpMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, given, as) =>
    Reflect.construct(target, given.length === 0 ? [Date.now()] : given, as) as object,
  apply: () => new Date().toString(),
});
