import { expect, test } from "vitest";
import { createPasswords } from "./passwords.ts";

test("a password fits its own hash only, two hashes of one differ, and the parameters are kept", async () => {
  const passwords = createPasswords();
  const [one, two] = [await passwords.hash("pässword 1234"), await passwords.hash("pässword 1234")];
  expect(one).toMatchObject({ scheme: "scrypt", cost: 32_768, blockSize: 8, parallel: 3 });
  expect(one.hash).not.toBe(two.hash);
  const composed = "pässword 1234".normalize("NFC");
  const given = [composed, composed.normalize("NFD"), "pässword 1235", ""];
  const fits = await Promise.all(given.map((text) => passwords.verify(text, one)));
  expect(fits).toEqual([true, true, false, false]);
});

test("nobody's password is never right", async () => {
  expect(await createPasswords().verify("", undefined)).toBe(false);
});

test("more at once than can wait are refused, the others are answered", async () => {
  const passwords = createPasswords();
  const cheap = {
    scheme: "scrypt",
    cost: 2,
    blockSize: 1,
    parallel: 1,
    salt: "",
    hash: "",
  } as const;
  const tries = Array.from({ length: 40 }, () => passwords.verify("x", cheap));
  const results = await Promise.allSettled(tries);
  const refused = results.filter(({ status }) => status === "rejected");
  expect([results.length, refused.length]).toEqual([40, 6]);
});
