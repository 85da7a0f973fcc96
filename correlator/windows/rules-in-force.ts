// rules-in-force.ts — which absence rules every feeder's signals come from: only of those does silence mean something.
//
// Why:   a rule that was changed or removed gets no more signals; without this its groups would seem to be silent.
export class RulesInForce {
  readonly feeders = new Map<string, readonly string[]>();
  readonly #expected: number;
  #versions: ReadonlySet<string> | undefined;

  constructor(expected: number) {
    this.#expected = expected;
  }

  /** What the feeder's signals come from, from now on. */
  set(feeder: string, versions: readonly string[]): void {
    this.feeders.set(feeder, versions);
    this.#versions = undefined;
  }

  /** Versions that all feeders have. */
  get versions(): ReadonlySet<string> {
    this.#versions ??= this.#common();
    return this.#versions;
  }

  /** False for a version that no feeder has: no signal of it will come. */
  isAnywhere(version: string): boolean {
    return [...this.feeders.values()].some((versions) => versions.includes(version));
  }

  #common(): ReadonlySet<string> {
    if (this.feeders.size < this.#expected) return new Set();
    const [first = [], ...others] = [...this.feeders.values()].map((all) => new Set(all));
    return new Set([...first].filter((version) => others.every((all) => all.has(version))));
  }
}
