// permissions.ts — who may do what: the one place that every route asks.
export const ROLES = ["admin", "analyst", "reader"] as const;
export type Role = (typeof ROLES)[number];
/** Of a token that is made without a word of it: the least. */
export const ROLE_UNLESS_TOLD: Role = "reader";

/** Who makes a request, however they proved it. */
export type Account = {
  readonly name: string;
  readonly role: Role;
  readonly by: "session" | "token" | "machine";
};

/** read: see all; work: change incidents; administer: accounts, tokens, replays. */
export type Action = "read" | "work" | "administer";

const ALLOWED: Readonly<Record<Role, readonly Action[]>> = {
  admin: ["read", "work", "administer"],
  analyst: ["read", "work"],
  reader: ["read"],
};

export const can = (account: Account, action: Action): boolean =>
  ALLOWED[account.role].includes(action);

/** Whoever may talk to the socket in the data folder owns the data anyway. */
export const MACHINE: Account = { name: "machine", role: "admin", by: "machine" };
