// summary.ts — what many seeds came to: a table for people, and how each failure is repeated.
import type { Outcome } from "./run.ts";
import { FAULTS, type Fault } from "./world.ts";

const SHOWN_MAX = 5; // differences of a seed

export class Summary {
  readonly failures: string[] = [];
  readonly #faults = new Map<Fault, number>();
  #seeds = 0;
  #events = 0;
  #expected = 0;
  #got = 0;
  #lost = 0;
  #doubled = 0;
  #other = 0;
  #bounded = 0;

  add(outcome: Outcome): void {
    this.#seeds += 1;
    this.#events += outcome.events;
    this.#expected += outcome.expected;
    this.#got += outcome.got;
    this.#lost += outcome.lost.length;
    this.#doubled += outcome.doubled.length;
    this.#other += outcome.other.length;
    if (outcome.gaveUp > 0) this.#bounded += 1;
    for (const [fault, count] of outcome.faults)
      this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + count);
    const failure = failureOf(outcome);
    if (failure !== undefined) this.failures.push(failure);
  }

  table(): string {
    const rows: readonly (readonly [string, number])[] = [
      ["seeds", this.#seeds],
      ["events", this.#events],
      ...FAULTS.map((fault) => [`fault: ${fault}`, this.#faults.get(fault) ?? 0] as const),
      ["seeds that reached a bound", this.#bounded],
      ["findings expected", this.#expected],
      ["findings got", this.#got],
      ["lost", this.#lost],
      ["doubled", this.#doubled],
      ["other than expected", this.#other],
      ["seeds that failed", this.failures.length],
    ];
    return rows
      .map(([name, count]) => `${name.padEnd(28)}${count.toLocaleString("en").padStart(12)}`)
      .join("\n");
  }
}

/** What is wrong, and the command that shows it again; undefined where all is as it must be. */
export function failureOf({ seed, stuck, lost, doubled, other }: Outcome): string | undefined {
  const faults = [
    ...(stuck === undefined ? [] : [`stuck: ${stuck}`]),
    ...lost.map((text) => `lost: ${text}`),
    ...doubled.map((text) => `doubled: ${text}`),
    ...other.map((text) => `other: ${text}`),
  ];
  if (faults.length === 0) return undefined;
  const more = faults.length - SHOWN_MAX;
  return [
    `seed ${seed} failed; repeat it with: ${commandOf(seed)}`,
    ...faults.slice(0, SHOWN_MAX).map((text) => `  ${text}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join("\n");
}

export const commandOf = (seed: number): string => `npm run simulate -- --seeds 1 --from ${seed}`;
