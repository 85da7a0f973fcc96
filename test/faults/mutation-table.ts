// mutation-table.ts — what the kill tests rest on, and how it is taken out of the code (mutations.main.ts runs them).

export type Edit = {
  readonly file: string;
  readonly from: string; // there exactly once
  readonly to: string;
};
export type Mutation = {
  readonly name: string;
  readonly says: string;
  readonly edits: readonly Edit[];
};
export const MUTATIONS: readonly Mutation[] = [
  { name: "none", says: "the tree as it is", edits: [] },
  {
    name: "duplicates",
    says: "without the duplicate check of windows",
    edits: [
      {
        file: "correlator/windows/members.ts",
        from: "if (this.isKnown(id, from)) return undefined;",
        to: "if (this.isKnown(id, from) && false) return undefined;",
      },
      {
        file: "correlator/windows/shelf.ts",
        from: "!fitsMember(member) || this.#has(last, member.id)",
        to: "!fitsMember(member)",
      },
    ],
  },
  {
    name: "snapshots",
    says: "without the loading of snapshots",
    edits: [
      {
        file: "core/runner.ts",
        from: "const found = await loadSnapshot(bus, this.#spec, partition);",
        to: "const found = { ...(await loadSnapshot(bus, this.#spec, partition)), parts: undefined, next: 0 };",
      },
    ],
  },
];

/** The text with the edit in it; refuses where the code has moved. */
export function applied({ file, from, to }: Edit, text: string): string {
  const places = text.split(from).length - 1;
  if (places !== 1)
    throw new Error(
      `${file} has ${places} times, not once: ${from}\nput what the code says now into test/faults/mutation-table.ts`,
    );
  return text.replace(from, () => to);
}
