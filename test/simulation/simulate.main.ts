// simulate.main.ts — runs the simulator from the command line and prints what it injected, what was found, what was lost.
import { parseArgs } from "node:util";
import { runSeed } from "./run.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
  },
});
const t0 = performance.now();
let bad = 0,
  ev = 0,
  exp = 0,
  steps = 0;
let slow = 0,
  slowSeed = 0;
for (let s = Number(values.from); s < Number(values.from) + Number(values.seeds); s++) {
  const t = performance.now();
  const o = await runSeed(s, { keepLines: values.trace });
  const d = performance.now() - t;
  if (d > slow) {
    slow = d;
    slowSeed = s;
  }
  ev += o.events;
  exp += o.expected;
  steps += Number(o.trace.split(" ")[0]);
  if (values.trace) for (const l of o.lines) console.log(l);
  if (o.stuck || o.lost.length + o.doubled.length + o.other.length > 0) {
    bad++;
    if (bad < 15)
      console.log(
        "seed",
        s,
        o.stuck ?? "",
        "expected",
        o.expected,
        "got",
        o.got,
        "lost",
        o.lost.length,
        o.lost.slice(0, 2),
        "doubled",
        o.doubled.length,
        o.doubled.slice(0, 2),
        "other",
        o.other.length,
        o.other.slice(0, 2),
      );
  }
}
const ms = performance.now() - t0;
console.log({ bad, ev, exp, steps, msASeed: ms / Number(values.seeds), slow, slowSeed });
