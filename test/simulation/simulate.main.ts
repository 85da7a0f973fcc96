// simulate.main.ts — npm run simulate: many seeds, or one again.
//
// Prints each failing seed with the command that repeats it, then a table; exits with 1 where a seed failed.
import { parseArgs } from "node:util";
import { runSeed } from "./run.ts";
import { failureOf, Summary } from "./summary.ts";

const USAGE = `npm run simulate -- [--seeds N] [--from SEED] [--minutes M] [--first] [--trace]
  --seeds    how many seeds, 100 unless told
  --from     the first of them, 1 unless told
  --minutes  as many seeds as fit into that time, instead of --seeds
  --first    stops at the first seed that fails
  --trace    prints all that happens`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    minutes: { type: "string" },
    first: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const from = Number(values.from);
const seedsMax = values.minutes === undefined ? Number(values.seeds) : Number.MAX_SAFE_INTEGER;
const begunMs = performance.now();
const untilMs = begunMs + Number(values.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
if (values.help || ![from, Number(values.seeds), untilMs].every((one) => one >= 0)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 64);
}

const summary = new Summary();
let seeds = 0;
for (let seed = from; seeds < seedsMax && performance.now() < untilMs; seed++) {
  const outcome = await runSeed(seed, { keepLines: values.trace });
  seeds += 1;
  summary.add(outcome);
  for (const line of outcome.lines) console.log(line);
  const failure = failureOf(outcome);
  if (failure !== undefined) console.log(failure);
  if (failure !== undefined && values.first) break;
}
const eachMs = (performance.now() - begunMs) / Math.max(1, seeds);
console.log(`${summary.table()}\n${eachMs.toFixed(1)} ms a seed`);
process.exitCode = summary.failures.length > 0 ? 1 : 0;
