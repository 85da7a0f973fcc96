// combinations.ts — what fields with several values each stand for together.

/** Each way to take one value of every field, at most `max` of them; of no fields there is one. */
export function combinationsOf(
  fields: readonly (readonly string[])[],
  max: number,
): readonly (readonly string[])[] {
  const [first = []] = fields;
  if (fields.length === 1 && first.length === 1) return fields;
  let all: (readonly string[])[] = [[]];
  for (const values of fields)
    all = all.flatMap((one) => values.map((value) => [...one, value])).slice(0, max);
  return all;
}
