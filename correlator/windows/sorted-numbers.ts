// sorted-numbers.ts — numbers in order, each found by its rank.
//
// Why:   runs of bounded length: one number costs the same whether the window holds a hundred or ten thousand.
const RUN_MAX = 512;

export class SortedNumbers {
  readonly #runs: number[][] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(number: number): void {
    this.#length += 1;
    const index = this.#runOf(number);
    const run = this.#runs[index];
    if (!run) {
      this.#runs.push([number]);
      return;
    }
    run.splice(lowerBound(run, number), 0, number);
    if (run.length > RUN_MAX) this.#runs.splice(index + 1, 0, run.splice(RUN_MAX >> 1));
  }

  /** Takes out one that was added. */
  remove(number: number): void {
    const index = this.#runOf(number);
    const run = this.#runs[index];
    const at = run ? lowerBound(run, number) : 0;
    if (run?.[at] !== number) return;
    run.splice(at, 1);
    this.#length -= 1;
    const next = this.#runs[index + 1];
    if (run.length === 0) this.#runs.splice(index, 1);
    else if (next && run.length + next.length <= RUN_MAX >> 1) {
      run.push(...next);
      this.#runs.splice(index + 1, 1);
    }
  }

  /** The number before which `rank` others stand. */
  at(rank: number): number | undefined {
    let left = rank;
    for (const run of this.#runs) {
      if (left < run.length) return run[left];
      left -= run.length;
    }
    return undefined;
  }

  /** The first run that reaches up to the number, else the last. */
  #runOf(number: number): number {
    const index = this.#runs.findIndex((run) => (run.at(-1) ?? number) >= number);
    return index < 0 ? Math.max(0, this.#runs.length - 1) : index;
  }
}

/** The place of the first that is not below the number. */
export function lowerBound(sorted: readonly number[], number: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
