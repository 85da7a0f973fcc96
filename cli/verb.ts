// verb.ts — what a verb of the command is: its words for people, its options, and what it does.
export type Option = {
  readonly type: "string" | "boolean";
  readonly value?: string; // what stands for the value in the help: FILE
  readonly text: string;
  readonly multiple?: boolean;
};

export type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export type Call = {
  readonly values: Values;
  readonly positionals: readonly string[];
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Waits while the reader of what is printed is slower than we are; absent where nobody is. */
  readonly drained?: () => Promise<void>;
};

export type Verb = {
  readonly name: string; // `rules test`
  readonly summary: string; // one line
  readonly usage: string; // what follows the name: `[options] FILE…`
  readonly text?: string; // more, in whole sentences
  readonly positionals: { readonly min: number; readonly max: number };
  readonly options: Readonly<Record<string, Option>>;
  readonly needless?: Readonly<Record<string, string>>; // options of other verbs, and why this one has none
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  readonly exits?: Readonly<Record<number, string>>; // where this verb has more to say than EXITS
  readonly run: (call: Call) => Promise<number>;
};

export const EXITS: Readonly<Record<number, string>> = {
  0: "done",
  1: "failed, or a check found a fault",
  2: "wrong usage, or a configuration that is refused",
  3: "a port or the data folder is in use by another program",
  4: "a running process or a server can't be reached",
  70: "an internal error; please report it",
};
export const EXIT = { ok: 0, failed: 1, usage: 2, inUse: 3, unreachable: 4, internal: 70 } as const;

export const stringOf = (values: Values, name: string): string | undefined => {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
};
export const flagOf = (values: Values, name: string): boolean => values[name] === true;
