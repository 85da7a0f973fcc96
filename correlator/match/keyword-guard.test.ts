// What a keyword may stand in, seen from JSON alone: no event that holds it may be missed, however its JSON is written.
import { describe, expect, test } from "vitest";
import { fold } from "../sigma/text.ts";
import { Haystack, needleOf } from "./haystack.ts";
import { KeywordGuard } from "./keyword-guard.ts";
import { LONG_S } from "./regex-literals.ts";
import { SeenRuns } from "./substrings.ts";
import { OTHERWISE } from "./vector-loops.ts";

const literalOf = (text: string) => ({
  needles: [needleOf(fold(text))],
  place: "within" as const,
  exact: true,
});

describe.for([
  { by: "many bytes at once", newHaystack: () => new Haystack() },
  { by: "one after the other", newHaystack: () => new Haystack(() => undefined) },
])("looked at $by", ({ newHaystack }) => {
  const guardOf = (...texts: string[]): KeywordGuard => {
    const guard = new KeywordGuard(newHaystack(), texts.map(literalOf));
    for (const _ of guard.build(new SeenRuns()));
    return guard;
  };

  test.for<[text: string, json: string, mayHold: boolean, why: string]>([
    ["mimikatz", '{"m":"run MimiKatz.exe"}', true, "in any case"],
    ["mimikatz", '{"m":"run notepad.exe"}', false, "it is not there"],
    ["mimikatz", '{"m":"наблюдение ☃"}', false, "nor in other text than ASCII"],
    ["scp ", '{"m":"scp "}', true, "a short one"],
    ["scp ", '{"m":"scq scpx s cp"}', false, "parts of a short one"],
    ['say "hi"!', '{"m":"say \\"hi\\"!"}', true, "quotes are written with a backslash"],
    [
      "rose/thorn",
      '{"Payload":"{\\"m\\":\\"r\\\\u006fse\\\\/thorn\\"}"}',
      true,
      "JSON may be in a text",
    ],
    ["c:\\windows\\temp", '{"m":"C:\\\\Windows\\\\Temp"}', true, "so are backslashes"],
    ["one\nlonger line", '{"m":"one\\nlonger line"}', true, "and what ends a line"],
    ["\u007fdel", '{"m":"\u007fdel"}', true, "not all that controls is"],
    ["/bin/sh", '{"m":"\\/bin\\/sh"}', true, "slashes may be"],
    ["/bin/sh", '{"m":"/bin/bash"}', false, "and need not be"],
    ["mimikatz", '{"m":"m\\u0069mikatz"}', true, "every character may be written by its code"],
    ["größe", '{"m":"gr\\u00f6\\u00dfe"}', true, "others than ASCII too"],
    ["größe", '{"m":"GRÖßE"}', true, "or as they are"],
    ["größe", '{"m":"groesse"}', false, "ASCII has none of them"],
    ["kerberos", '{"m":"\u212aerberos"}', true, "Kelvin folds to a letter of ASCII"],
    ["shell", '{"m":"power\u017fhell"}', true, "to an expression a long s is an s"],
    ["1000", '{"n":1e3}', true, "a number reads otherwise than it is written"],
    ["e+21", '{"n":1000000000000000000000}', true, "a large one too"],
    ["0x8020", '{"Keywords":-9214364837600034816}', true, "or is told in hexadecimal"],
    ["nfin", '{"n":1e999}', true, "or is beyond all numbers"],
    ["mimikatz", `{"m":"${"x".repeat(300_000)} mimikatz"}`, true, "too long to be looked at"],
  ])("%s in %s: %s, %s", ([text, json, mayHold]) => {
    expect(guardOf(text).mayHold(json)).toBe(mayHold);
  });

  test("a keyword without a text that it needs may stand anywhere", () => {
    const guard = new KeywordGuard(newHaystack(), [literalOf("mimikatz"), undefined]);
    for (const _ of guard.build(new SeenRuns()));
    expect(guard.mayHold('{"m":"notepad"}')).toBe(true);
  });

  test("many texts, short and long: one of them is enough", () => {
    const guard = guardOf("scp ", "rsync ", " /tmp/", "gentilkiwi.com", "chmod 4777 /tmp");
    expect(guard.mayHold(`{"m":"${"x".repeat(200)}RSYNC -a"}`)).toBe(true);
    expect(guard.mayHold(`{"m":"${"x".repeat(201)}Chmod 4777 /tmp"}`)).toBe(true);
    expect(guard.mayHold(`{"m":"${"x".repeat(202)}chmod 4755 /var"}`)).toBe(false);
    expect(guardOf("zzz", "abbb").mayHold('{"m":"bbbabbb"}')).toBe(true);
  });

  test.for([
    { memory: "as it begins", chars: 0 },
    { memory: "that grew", chars: 340_000 },
  ])(
    "what just fills the memory $memory is looked at to its end, and nothing beyond",
    ({ chars }) => {
      const haystack = newHaystack();
      haystack.take("x".repeat(chars));
      const guard = new KeywordGuard(haystack, [literalOf("scp "), literalOf("mimikatz")]);
      for (const _ of guard.build(new SeenRuns()));
      for (let bytes = haystack.bytes.length - 40; bytes < haystack.bytes.length + 40; bytes++) {
        const text = "\u2603".repeat(80_000) + "x".repeat(bytes - 240_008);
        expect(guard.mayHold(`{"m":"${text}"}`)).toBe(bytes > haystack.bytes.length);
      }
    },
  );

  test("where nearly every place may be the beginning, all are looked at", () => {
    const guard = guardOf("ssst", "zzz");
    expect(guard.mayHold(`{"m":"${"s".repeat(5000)}t"}`)).toBe(true);
    expect(guard.mayHold(`{"m":"${"sssu".repeat(5000)}"}`)).toBe(false);
    expect(guard.mayHold(`{"m":"${"sssu".repeat(5000)}zzz"}`)).toBe(true);
  });

  test("it does not look any more where it finds something mostly", () => {
    const guard = guardOf("cisco");
    expect(guard.mayHold('{"m":"juniper"}')).toBe(false);
    for (let n = 0; n < 1000; n++) guard.mayHold('{"m":"cisco"}');
    expect(guard.mayHold('{"m":"juniper"}')).toBe(true);
  });
});

test("what folds to a character of ASCII is known to be written otherwise", () => {
  const folds: string[] = [];
  for (let code = 128; code <= 0x10ffff; code++) {
    const one = String.fromCodePoint(code);
    if (/[ -~]/.test(fold(one))) folds.push(one);
  }
  expect(OTHERWISE).toEqual(expect.arrayContaining([...folds, LONG_S]));
});
