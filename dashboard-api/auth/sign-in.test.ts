import { expect, test } from "vitest";
import type { Store } from "../../core/store/store.ts";
import { ApiError } from "../errors.ts";
import type { PasswordHash, Passwords } from "./passwords.ts";
import { createSignIn } from "./sign-in.ts";

const minuteMs = 60_000;
const password: PasswordHash = {
  scheme: "scrypt",
  cost: 1,
  blockSize: 1,
  parallel: 1,
  salt: "",
  hash: "right",
};
const passwords: Passwords = {
  hash: async () => password,
  verify: async (given, stored) => given === stored?.hash,
};
const store = {
  getDocument: async (_collection: string, id: string) =>
    id === "first-admin"
      ? { id, revision: 1, body: { kind: "user", name: "ada", role: "admin", password } }
      : undefined,
} as unknown as Store;

type Try = readonly [name: string, given: string, address: string, atMinutes: number];
const many = (count: number, make: (number: number) => Try): readonly Try[] =>
  Array.from({ length: count }, (_, number) => make(number));

test.for<{ name: string; tries: readonly Try[]; last: Try; want: number | string }>([
  { name: "the first try", tries: [], last: ["ada", "right", "a", 0], want: "ada" },
  { name: "whatever the case of the name", tries: [], last: ["ADA", "right", "a", 0], want: "ada" },
  {
    name: "the tenth of one name from one address",
    tries: many(9, () => ["ada", "wrong", "a", 0]),
    last: ["ada", "right", "a", 0],
    want: "ada",
  },
  {
    name: "the eleventh, also with the right password",
    tries: many(10, () => ["ada", "wrong", "a", 0]),
    last: ["ada", "right", "a", 14],
    want: 429,
  },
  {
    name: "a quarter of an hour later",
    tries: many(10, () => ["ada", "wrong", "a", 0]),
    last: ["ada", "right", "a", 15],
    want: "ada",
  },
  {
    name: "from elsewhere meanwhile: nobody is locked out by a stranger",
    tries: many(10, () => ["ada", "wrong", "a", 0]),
    last: ["ada", "right", "b", 0],
    want: "ada",
  },
  {
    name: "a right password forgets the wrong ones",
    tries: [...many(9, () => ["ada", "wrong", "a", 0] as Try), ["ada", "right", "a", 0]],
    last: ["ada", "wrong", "a", 0],
    want: 401,
  },
  {
    name: "many names from one address",
    tries: many(50, (number) => [`user${number}`, "wrong", "a", 0]),
    last: ["ada", "right", "a", 0],
    want: 429,
  },
  {
    name: "one name from many addresses",
    tries: many(200, (number) => ["ada", "wrong", `a${number}`, 0]),
    last: ["ada", "right", "b", 0],
    want: 429,
  },
])("sign-in: $name", async ({ tries, last, want }) => {
  const signIn = createSignIn(store, passwords);
  const attempt = ([name, given, address, atMinutes]: Try) =>
    signIn({ name, password: given, address, nowMs: atMinutes * minuteMs }).then(
      (user) => user.name,
      (error: unknown) => (error instanceof ApiError ? error.statusCode : String(error)),
    );
  for (const one of tries) await attempt(one);
  expect(await attempt(last)).toBe(want);
});
