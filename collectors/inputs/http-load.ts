// http-load.ts — the memory that bodies under way may take, together: whoever finds no room is asked to come again.
//
// Holds: what a body takes is counted as it becomes known: as it was announced, unpacked, in parts. One body is always
//        let in, however large; a second one only where both fit.

export type Share = {
  /** The body takes as much by now; false where that is too much beside the others. */
  readonly grow: (bytes: number) => boolean;
  readonly release: () => void;
};

export class HttpLoad {
  readonly requests = new Set<Promise<unknown>>();
  stopping = false;
  readonly #bytesMax: number;
  #bytes = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Undefined where there is no room. */
  admit(bytes: number): Share | undefined {
    let own = 0;
    const grow = (to: number): boolean => {
      const others = this.#bytes - own;
      if (to > 0 && others > 0 && others + to > this.#bytesMax) return false;
      this.#bytes = others + to;
      own = to;
      return true;
    };
    const release = (): void => {
      this.#bytes -= own;
      own = 0;
    };
    return grow(bytes) ? { grow, release } : undefined;
  }

  /** One after the other: while a body is unpacked nobody knows how large it becomes. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn;
    return turn;
  }
}
