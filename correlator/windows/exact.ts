// exact.ts — numbers of events, added up and compared as the decimals that they are written as.
//
// Holds: a sum depends on the numbers that are in it alone, not on the order in which they came, nor on those that left.
// Why:   a running sum of floating numbers drifts, and 0.1 + 0.2 is not 0.3: at a threshold, chance would decide.

/** Less than, equal to or greater than zero, as `found` is to `wanted`. */
export const compare = (found: number, wanted: number): number =>
  found < wanted ? -1 : found > wanted ? 1 : 0;

export class ExactSum {
  #small = 0; // whole numbers, as long as their sum is exact
  #large = 0n; // all else, times ten to the power of `scale`
  #scale = 0;

  /** Adds the number so many times; less than none takes it out again. */
  add(number: number, times = 1): void {
    const product = number * times;
    if (Number.isSafeInteger(number) && Number.isSafeInteger(product)) {
      const sum = this.#small + product;
      if (Number.isSafeInteger(sum)) {
        this.#small = sum;
        return;
      }
    }
    const { digits, scale } = decimalOf(number);
    if (scale > this.#scale) {
      this.#large *= tenTo(scale - this.#scale);
      this.#scale = scale;
    }
    this.#large += digits * BigInt(times) * tenTo(this.#scale - scale);
    if (this.#large === 0n) this.#scale = 0;
  }

  /** How the sum compares with `wanted` times `times`. */
  compare(wanted: number, times = 1): number {
    const product = wanted * times;
    if (this.#large === 0n && Number.isSafeInteger(wanted) && Number.isSafeInteger(product))
      return compare(this.#small, product);
    const { digits, scale } = decimalOf(wanted);
    const most = Math.max(scale, this.#scale);
    const left = this.#large * tenTo(most - this.#scale) + BigInt(this.#small) * tenTo(most);
    const right = digits * BigInt(times) * tenTo(most - scale);
    return left < right ? -1 : left > right ? 1 : 0;
  }
}

const tenTo = (power: number): bigint => 10n ** BigInt(power);

/** A number as its shortest decimal: digits divided by ten to the power of scale. */
function decimalOf(number: number): { readonly digits: bigint; readonly scale: number } {
  const [mantissa = "0", exponent = "0"] = String(number).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale >= 0 ? { digits, scale } : { digits: digits * tenTo(-scale), scale: 0 };
}
