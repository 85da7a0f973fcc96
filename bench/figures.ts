// figures.ts — what benches print: numbers that people read, in columns.

export function median(numbers: readonly number[]): number {
  return quantile(
    numbers.toSorted((a, b) => a - b),
    0.5,
  );
}

/** 0 where there is none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export const shown = (number: number): string => Math.round(number).toLocaleString("en");

/** Prints a row of a table whose first column and whose others are so wide. */
export const rowsOf =
  (nameWidth: number, cellWidth: number) =>
  (name: string, cells: readonly string[]): void =>
    console.log(name.padEnd(nameWidth) + cells.map((cell) => cell.padStart(cellWidth)).join(""));
