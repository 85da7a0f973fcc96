// combinations.ts — what fields with several values each stand for together.
import type { EventValues } from "../core/records.ts";
import { nameOf } from "./windows/group-name.ts";

export const COMBINATIONS_MAX = 64;

/** Each way to take one value of every field, at most COMBINATIONS_MAX of them; of no fields there is one. */
export function combinationsOf(
  fields: readonly (readonly string[])[],
): readonly (readonly string[])[] {
  const [first = []] = fields;
  if (fields.length === 1 && first.length === 1) return fields;
  let all: (readonly string[])[] = [[]];
  for (const values of fields)
    all = all.flatMap((one) => values.map((value) => [...one, value])).slice(0, COMBINATIONS_MAX);
  return all;
}

/** Whether some of the ways were left out. */
export const areCut = (fields: readonly (readonly string[])[]): boolean =>
  fields.reduce((ways, values) => ways * values.length, 1) > COMBINATIONS_MAX;

/** Several fields count by their distinct combinations. */
export const distinctOf = (fields: readonly (readonly string[])[]): readonly string[] => [
  ...new Set(combinationsOf(fields).map(nameOf)),
];

/** What one event adds, as it travels; undefined where there is nothing that counts. */
export function asEventValues(values: readonly (string | number)[]): EventValues | undefined {
  const [only] = values;
  return values.length > 1 || typeof only === "string" ? values : only;
}
