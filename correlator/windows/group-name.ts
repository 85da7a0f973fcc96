// group-name.ts — one text for several values: of a group, or of a combination that is counted.
//
// Holds: no other values have the same name, whatever is in them, and the name tells them.

/** One value is the text itself: nothing is made. */
export const joined = (values: readonly string[]): string =>
  values.length === 1 ? (values[0] as string) : values.join("\u0000");

export function nameOf(values: readonly string[]): string {
  for (const value of values)
    if (value === "" || value.includes("\u0000")) return `\u0000${JSON.stringify(values)}`;
  return joined(values);
}

export function valuesOf(name: string): readonly string[] {
  if (name === "") return [];
  return name.startsWith("\u0000") ? (JSON.parse(name.slice(1)) as string[]) : name.split("\u0000");
}
