import { expect, test } from "vitest";
import { createLog } from "./log.ts";

const lineOf = (write: (log: ReturnType<typeof createLog>) => void, pretty = false): string => {
  const lines: string[] = [];
  write(
    createLog({
      level: "info",
      secrets: ['p"ss\\word', "abc"],
      pretty,
      write: (line) => lines.push(line),
    }),
  );
  return lines.join("");
};

test.for([
  { name: "under a key that names it", fields: { token: "t0k3n" } },
  { name: "one level down", fields: { channel: { password: "t0k3n" } } },
  { name: "two levels down", fields: { a: { headers: { authorization: "t0k3n" } } } },
])("a secret is left out $name", ({ fields }) => {
  const line = lineOf((log) => log.info(fields, "m"));
  expect(line).not.toContain("t0k3n");
  expect(line).toContain("[secret]");
});

test("a known secret is left out of any text, also of an error and with letters that JSON escapes", () => {
  const line = lineOf((log) =>
    log.error({ err: new Error('login with p"ss\\word failed') }, 'p"ss\\word'),
  );
  expect(JSON.parse(line)).toMatchObject({
    level: "error",
    msg: "[secret]",
    err: { message: "login with [secret] failed" },
  });
});

test("what is as short as a word is no known secret", () => {
  expect(JSON.parse(lineOf((log) => log.info("abc")))).toMatchObject({ msg: "abc" });
});

test("people get a line without JSON, with the error's words", () => {
  const line = lineOf((log) => log.warn({ err: new Error("why"), n: 1 }, "what"), true);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  expect(line.replaceAll(/\u001b\[[0-9;]*m/g, "")).toMatch(/^[0-9:]{8} warn {2}what: why n=1\n$/);
});
