// The detections of Sigma 2.1, section by section: each row with events that just match and events that just do not,
// through the plain matcher and the indexed one. docs/sigma.md names the rows.
import { expect, test } from "vitest";
import { indexedMatcher } from "../match/indexed.ts";
import { plainMatcher } from "../match/plain.ts";
import { readRules } from "./load.ts";

type Event = Readonly<Record<string, unknown>>;
type Row = {
  readonly name: string;
  readonly of: string; // what stands under detection, without a condition where it is `s`
  readonly yes: readonly Event[];
  readonly no: readonly Event[];
};

const placeholders = new Map([
  ["admins", ["root", "adm_*"]],
  ["net", ["10.0.0.0/8", "fd00::/8"]],
  ["dot", ["a.c"]],
  ["Servers", ["srv?"]],
]);
const b64 = (text: string, encoding: "utf8" | "utf16le" = "utf8"): string =>
  Buffer.from(text, encoding).toString("base64");
const f = (value: unknown): Event => ({ f: value });

const VALUES: readonly Row[] = [
  {
    name: "text is compared whole, in any case",
    of: "s: { f: WhoAmI }",
    yes: [f("whoami"), f("WHOAMI")],
    no: [f("whoami "), f("xwhoami"), {}, f(null), f({ whoami: 1 })],
  },
  {
    name: "a character is folded by itself, wherever it stands",
    of: "s: { f|contains: ΟΔΟΣ }",
    yes: [f("ΟΔΟΣ"), f("οδος"), f("οδοσ"), f("ΟΔΟΣΑΒ"), f("x οδοςαβ")],
    no: [f("ΟΔΟ")],
  },
  {
    name: "the end of a word is a character like others",
    of: "s: { f|endswith: Σ }",
    yes: [f("Σ"), f("ΟΔΟΣ"), f("οδος"), f("οδοσ")],
    no: [f("ΟΔΟ")],
  },
  {
    name: "a capital I with a dot is one character",
    of: "s: { f: ['?stanbul', 'İZMİR'] }",
    yes: [f("İstanbul"), f("istanbul"), f("İzmİr")],
    no: [f("stanbul"), f("izmir")],
  },
  {
    name: "? is one character, * any run",
    of: "s: { f: prog?.e*e }",
    yes: [f("progA.exe"), f("PROGB.ee"), f("prog\n.e\n e"), f("prog😀.exe")],
    no: [f("prog.exe"), f("progAB.exe"), f("progA.exe ")],
  },
  {
    name: "* alone wants the field to hold a text or number",
    of: "s: { f: '*' }",
    yes: [f("x"), f(""), f(0), f(["x"])],
    no: [{}, f(null), f([]), f({ x: 1 })],
  },
  {
    name: "a backslash before no wildcard is itself, doubled or not",
    of: "s: { f: 'C:\\a\\\\b' }",
    yes: [f("c:\\A\\b")],
    no: [f("c:\\a\\\\b"), f("c:a\\b")],
  },
  {
    name: "an escaped wildcard is plain",
    of: "s: { f: '\\*x\\?' }",
    yes: [f("*x?")],
    no: [f("ax?"), f("*xa"), f("\\*x\\?")],
  },
  {
    name: "two backslashes before a wildcard: a backslash and the wildcard",
    of: "s: { f: 'a\\\\*' }",
    yes: [f("a\\"), f("a\\b")],
    no: [f("a*"), f("a"), f("ab")],
  },
  {
    name: "three backslashes before a wildcard: both plain",
    of: "s: { f: 'a\\\\\\*' }",
    yes: [f("a\\*")],
    no: [f("a\\b"), f("a*")],
  },
  {
    name: "three or four backslashes are two",
    of: "s: { f: ['a\\\\\\b', 'c\\\\\\\\d'] }",
    yes: [f("a\\\\b"), f("c\\\\d")],
    no: [f("a\\b"), f("c\\d"), f("a\\\\\\b")],
  },
  {
    name: "a number: the number or its text",
    of: "s: { f: 4625 }",
    yes: [f(4625), f("4625"), f([1, 4625])],
    no: [f(462), f("46250"), f("4625x"), f("0x1211"), f(" 4625"), f(""), f(true), {}],
  },
  {
    name: "a negative number and a fraction",
    of: "s: { f: [-1, 1.5] }",
    yes: [f(-1), f("-1"), f(1.5), f("1.50")],
    no: [f(1), f(15), f("1,5")],
  },
  {
    name: "zero is not the empty text",
    of: "s: { f: 0 }",
    yes: [f(0), f("0")],
    no: [f(""), f(" "), f(null), f(false), {}],
  },
  {
    name: "an integer beyond 2^53 keeps every digit",
    of: "s: { f: 9007199254740993 }",
    yes: [f("9007199254740993")],
    no: [f("9007199254740992"), f("9007199254740994")],
  },
  {
    name: "a quoted number is text",
    of: "s: { f: '0x40810000' }",
    yes: [f("0X40810000")],
    no: [f(1082195968), f("1082195968")],
  },
  {
    name: "a boolean: itself or its text",
    of: "s: { f: true }",
    yes: [f(true), f("True"), f("true")],
    no: [f(false), f(1), f("1"), f("yes"), {}],
  },
  {
    name: "the empty text",
    of: "s: { f: '' }",
    yes: [f(""), f(["a", ""])],
    no: [{}, f(null), f(" "), f([]), f(0)],
  },
  {
    name: "null: absent or null",
    of: "s: { f: null }",
    yes: [{}, f(null), { g: 1 }, f([null]), f(["x", null])],
    no: [f(""), f(0), f("null"), f(false), f([]), f({})],
  },
  {
    name: "not null is its own selection",
    of: "s: { g: 1 }\n  filter: { f: null }\n  condition: s and not filter",
    yes: [{ g: 1, f: "" }],
    no: [{ g: 1 }, { g: 1, f: null }, { f: "" }],
  },
  {
    name: "a list of values is any of them",
    of: "s: { f: [517, 'x*'] }",
    yes: [f(517), f("x"), f("xy")],
    no: [f(518), f("ax")],
  },
  {
    name: "a map is all of its fields",
    of: "s: { f: a, g: 1 }",
    yes: [{ f: "A", g: "1" }],
    no: [{ f: "a" }, { g: 1 }, { f: "a", g: 2 }],
  },
  {
    name: "a list of maps is any of them",
    of: "s: [{ f: a, g: 1 }, { h|contains: z }]",
    yes: [{ f: "a", g: 1 }, { h: "azb" }],
    no: [{ f: "a", g: 2 }, { h: "a" }],
  },
  {
    name: "a list of maps and keywords is any of them",
    of: "s: [{ f: a }, word]",
    yes: [{ f: "a" }, { g: "a Word here" }],
    no: [{ f: "b" }, { g: "wor d" }],
  },
];

const FIELDS: readonly Row[] = [
  {
    name: "a dotted name is nested objects, one key, or a mix",
    of: "s: { a.b.c: x }",
    yes: [{ a: { b: { c: "x" } } }, { "a.b.c": "x" }, { "a.b": { c: "x" } }, { a: { "b.c": "x" } }],
    no: [{ a: { b: "x" } }, { a: { b: { d: "x" } } }, { c: "x" }],
  },
  {
    name: "an array is any of its elements",
    of: "s: { f|contains: x }",
    yes: [f(["a", "bxb"]), f([1, "X"])],
    no: [f(["a"]), f([]), f([["x"]])],
  },
  {
    name: "arrays of objects are looked into, on every level",
    of: "s: { a.b.c: x }",
    yes: [
      { a: [{ b: { c: "y" } }, { b: { c: "x" } }] },
      { a: [{ b: [{ c: "y" }, { c: "x" }] }] },
      { a: [{ b: [{ c: ["y", "x"] }] }] },
    ],
    no: [{ a: [{ b: [{ c: "y" }] }] }, { a: [{ b: [] }] }, { a: ["x"] }],
  },
  {
    name: "an array in an array is looked into by keywords only",
    of: "s: { a: x }\n  t: { a.b: x }\n  u: ['y']\n  condition: 1 of them",
    yes: [{ a: ["z", "x"] }, { a: [{ b: ["x"] }] }, { a: [["y"]] }],
    no: [{ a: [["x"]] }, { a: [[{ b: "x" }]] }, { a: { b: [["x"]] } }],
  },
  {
    name: "names of JavaScript's own are names like others",
    of: "s: { __proto__: a, constructor: b, toString|contains: c, hasOwnProperty.x: d }",
    yes: [
      JSON.parse(
        '{"__proto__":"a","constructor":"b","toString":"xc","hasOwnProperty":{"x":"d"}}',
      ) as Event,
    ],
    no: [{}, JSON.parse('{"constructor":"b","toString":"xc","__proto__":{"a":1}}') as Event],
  },
  {
    name: "what every object inherits is in no event",
    of: "s: { constructor|exists: true }\n  t: { toString: '*' }\n  u: { __proto__.x|exists: true }\n  condition: 1 of them",
    yes: [{ constructor: null }, { toString: "a" }],
    no: [{}, { a: {} }, { x: 1 }],
  },
  {
    name: "exists: true is the key, whatever it holds",
    of: "s: { f|exists: true }",
    yes: [f(""), f(null), f([]), f(0), f({})],
    no: [{}, { g: 1 }, { "f.g": 1 }],
  },
  {
    name: "exists: false",
    of: "s: { f|exists: false }",
    yes: [{}, { g: 1 }],
    no: [f(""), f(null), f([])],
  },
  {
    name: "keywords: any of them, in any field, inside of it, in any case",
    of: "s: ['event::clear', svchost.exe -n evil]",
    yes: [{ m: "x EVENT::clear y" }, { a: { b: ["svchost.exe -n evil"] } }],
    no: [{ m: "event:clear" }, { "event::clear": 1 }, {}],
  },
  {
    name: "a keyword may hold wildcards and numbers",
    of: "s: ['a*b?c', 4625]",
    yes: [{ m: "xx a--b-c xx" }, { id: 4625 }, { m: "id 46250" }],
    no: [{ m: "a--bc" }, { id: 462 }],
  },
  {
    name: "|all: all keywords, wherever each stands",
    of: "s: { '|all': [one, two] }",
    yes: [{ m: "two One" }, { a: "one", b: "TWO" }],
    no: [{ m: "one" }, { m: "tw o one" }],
  },
  {
    name: "keywords by regular expression, and with case",
    of: "s: { '|re': 'a[0-9]+b' }\n  t: { '|cased': Word }\n  condition: 1 of them",
    yes: [{ m: "xa12bx" }, { m: "a Word" }],
    no: [{ m: "ab" }, { m: "A12b" }, { m: "a word" }],
  },
  {
    name: "one keyword without a list",
    of: "s: lonely",
    yes: [{ m: "so lonely" }],
    no: [{ m: "alone" }],
  },
];

const MODIFIERS: readonly Row[] = [
  {
    name: "contains, startswith, endswith",
    of: "s: { f|contains: b, g|startswith: b, h|endswith: b }",
    yes: [{ f: "aBc", g: "bc", h: "ab" }],
    no: [
      { f: "ac", g: "bc", h: "ab" },
      { f: "b", g: "ab", h: "ab" },
      { f: "b", g: "b", h: "bc" },
    ],
  },
  {
    name: "wildcards inside contains",
    of: "s: { f|contains: 'a*c' }",
    yes: [f("xabcx"), f("ac")],
    no: [f("ca")],
  },
  {
    name: "all links values with and",
    of: "s: { f|contains|all: [a, b] }",
    yes: [f("xbxa"), f(["a", "b"])],
    no: [f("a"), f("b")],
  },
  {
    name: "all before contains is the same",
    of: "s: { f|all|contains: [a, b] }",
    yes: [f("ba")],
    no: [f("a")],
  },
  {
    name: "cased",
    of: "s: { f|cased: Ab, g|contains|cased: C*D }",
    yes: [{ f: "Ab", g: "xCyDx" }],
    no: [
      { f: "ab", g: "CD" },
      { f: "Ab", g: "cD" },
    ],
  },
  {
    name: "neq: different from the value; an absent field is",
    of: "s: { f|neq: a }",
    yes: [f("b"), f(""), {}, f(null)],
    no: [f("a"), f("A"), f(["a", "b"])],
  },
  {
    name: "neq with a list: different from all of them",
    of: "s: { f|neq: [a, 1] }",
    yes: [f("b"), f(2)],
    no: [f("a"), f(1), f("1")],
  },
  {
    name: "neq with others, and with null",
    of: "s: { f|endswith|neq: .exe, g|neq: null, h|cidr|neq: 10.0.0.0/8, i|gt|neq: 5 }",
    yes: [{ f: "a.dll", g: "", h: "11.0.0.1", i: 5 }],
    no: [
      { f: "a.EXE", g: "", h: "11.0.0.1", i: 5 },
      { f: "a.dll", h: "11.0.0.1", i: 5 },
      { f: "a.dll", g: "", h: "10.0.0.1", i: 5 },
      { f: "a.dll", g: "", h: "11.0.0.1", i: 6 },
    ],
  },
  {
    name: "windash: each dash or slash that begins a word is each of the five",
    of: "s: { f|windash|contains: ' -enc ' }",
    yes: ["-", "/", "–", "—", "―"].map((dash) => f(`x ${dash}ENC y`)),
    no: [f("x enc y"), f("x +enc y"), f("x _enc y")],
  },
  {
    name: "windash: a slash too, and dashes inside words stay",
    of: "s: { f|windash: 'a /b-c' }",
    yes: [f("a -b-c"), f("a –b-c")],
    no: [f("a -b/c"), f("a b-c")],
  },
  {
    name: "windash with all",
    of: "s: { f|contains|all|windash: [' -a', ' -b'] }",
    yes: [f("x /a –b")],
    no: [f("x /a b")],
  },
  {
    name: "base64",
    of: "s: { f|base64|contains: ping }",
    yes: [f(`x${b64("ping")}x`)],
    no: [f(b64("pong")), f("ping")],
  },
  {
    name: "base64offset: at each of the three places",
    of: "s: { f|base64offset|contains: http://x }",
    yes: ["", "a", "ab", "abc"].map((before) => f(b64(`${before}http://x!`))),
    no: [f(b64("https//x")), f("http://x")],
  },
  {
    name: "base64offset counts bytes, not characters",
    of: "s: { f|base64offset|contains: héé }",
    yes: ["", "a", "ab"].map((before) => f(b64(`${before}héé!`))),
    no: [f(b64("hee"))],
  },
  {
    name: "wide and base64offset",
    of: "s: { f|wide|base64offset|contains: IEX }",
    yes: ["", "a", "ab"].map((before) => f(b64(`${before}IEX(`, "utf16le"))),
    no: [f(b64("IEX(")), f(b64("IE", "utf16le"))],
  },
  {
    name: "utf16 puts the byte order mark before",
    of: "s: { f|utf16|base64|startswith: ab }",
    yes: [f("//5hAGIA")],
    no: [f("YQBiAA==")],
  },
  {
    name: "utf16le, wide and utf16be",
    of: "s: { f|utf16le: cm, g|wide: cm, h|utf16be: cm, i|utf16: cm }",
    yes: [{ f: "c\0m\0", g: "c\0m\0", h: "\0c\0m", i: "\xff\xfec\0m\0" }],
    no: [
      { f: "\0c\0m", g: "c\0m\0", h: "\0c\0m", i: "\xff\xfec\0m\0" },
      { f: "c\0m\0", g: "c\0m\0", h: "c\0m\0", i: "\xff\xfec\0m\0" },
      { f: "c\0m\0", g: "c\0m\0", h: "\0c\0m", i: "c\0m\0" },
    ],
  },
  {
    name: "utf16le keeps wildcards",
    of: "s: { f|utf16le: 'a?b*' }",
    yes: [f("a\0x\0b\0yy")],
    no: [f("a\0b\0"), f("a?b*")],
  },
  {
    name: "windash before base64offset",
    of: "s: { f|windash|base64offset|contains: ' -nop ' }",
    yes: [f(b64("p /nop x")), f(b64("p -nop x")), f(b64("pp –nop x"))],
    no: [f(b64("p nop x"))],
  },
  {
    name: "lt, lte, gt, gte, on numbers and on their texts",
    of: "s: { a|lt: 10, b|lte: 10, c|gt: 10, d|gte: 10 }",
    yes: [
      { a: 9.9, b: 10, c: 10.1, d: 10 },
      { a: "9", b: "10", c: "11", d: "10" },
    ],
    no: [
      { a: 10, b: 10, c: 11, d: 10 },
      { a: 9, b: 11, c: 11, d: 10 },
      { a: 9, b: 10, c: 10, d: 10 },
      { a: 9, b: 10, c: 11, d: 9 },
      { a: "", b: 10, c: 11, d: 10 },
      { a: "x", b: 10, c: 11, d: 10 },
      { a: null, b: 10, c: 11, d: 10 },
    ],
  },
  {
    name: "comparisons in lists, and all of them",
    of: "s: { a|gt: [5, 100], b|gt|all: [5, 100] }",
    yes: [{ a: 6, b: 101 }],
    no: [
      { a: 5, b: 101 },
      { a: 6, b: 100 },
    ],
  },
  {
    name: "parts of a date",
    of: "s: { t|minute: 59, t|hour: 23, t|day: 31, t|month: 12, t|year: 2024 }",
    yes: [{ t: "2024-12-31T23:59:00Z" }, { t: "2024-12-31 23:59:59.123" }],
    no: [
      { t: "2024-12-31T23:58:59Z" },
      { t: "2024-12-31T22:59:00Z" },
      { t: "2024-12-30T23:59:00Z" },
      { t: "2024-11-31T23:59:00Z" },
      { t: "2023-12-31T23:59:00Z" },
      { t: "2024-12-31" },
      { t: 59 },
    ],
  },
  {
    name: "a part of a date, compared; its zone is left alone",
    of: "s: { t|hour|gte: 22 }\n  u: { t|hour|lt: 6 }\n  condition: s or u",
    yes: [{ t: "2024-01-01T22:00:00+09:00" }, { t: "2024-01-01T05:59:00Z" }],
    no: [{ t: "2024-01-01T21:59:59-05:00" }, { t: "2024-01-01T06:00:00Z" }, {}],
  },
  {
    name: "the week is that of ISO 8601",
    of: "s: { t|week: [1, 53] }",
    yes: [{ t: "2024-12-30T00:00:00Z" }, { t: "2021-01-03T23:00:00Z" }],
    no: [{ t: "2021-01-11T00:00:00Z" }, { t: "2024-12-29T00:00:00Z" }],
  },
  {
    name: "cidr, IPv4",
    of: "s: { f|cidr: 192.168.4.0/23 }",
    yes: [
      f("192.168.4.0"),
      f("192.168.5.255"),
      f(["1.1.1.1", "192.168.5.1"]),
      f("::ffff:192.168.4.1"),
    ],
    no: [
      f("192.168.3.255"),
      f("192.168.6.0"),
      f("x192.168.4.1"),
      f("192.168.4"),
      f(""),
      f("fe80::1"),
    ],
  },
  {
    name: "cidr wants an address: no number, no version, no octal",
    of: "s: { f|cidr: [1.0.0.0/8, 8.0.0.0/8] }",
    yes: [f("1.2.3.4")],
    no: [f("1.5"), f(16777217), f("16777217"), f("0x1.2"), f("010.0.0.1")],
  },
  {
    name: "cidr, IPv6, in any spelling",
    of: "s: { f|cidr: ['2001:DB8::/33', 'fe80::/10', '::ffff:10.0.0.0/104'] }",
    yes: [
      f("2001:db8:7fff:0::1"),
      f("2001:0db8:0000::"),
      f("FEBF::1"),
      f("fe80::1%eth0"),
      f("10.9.9.9"),
    ],
    no: [f("2001:db8:8000::1"), f("fec0::1"), f("11.0.0.1"), f("::ffff:11.0.0.1"), f("2001:db8")],
  },
  {
    name: "cidr: one address, and everything",
    of: "s: { f|cidr: 10.0.0.1/32, g|cidr: 0.0.0.0/0, h|cidr: '::/0' }",
    yes: [{ f: "10.0.0.1", g: "255.1.1.1", h: "::1" }],
    no: [
      { f: "10.0.0.2", g: "255.1.1.1", h: "::1" },
      { f: "10.0.0.1", g: "::1", h: "::1" },
    ],
  },
  {
    name: "expand: every value of the placeholder, wildcards too",
    of: "s: { f|expand: '%admins%' }",
    yes: [f("ROOT"), f("adm_x")],
    no: [f("%admins%"), f("rooted"), f("xadm_")],
  },
  {
    name: "without expand a placeholder is text",
    of: "s: { f: '%admins%' }",
    yes: [f("%ADMINS%")],
    no: [f("root")],
  },
  {
    name: "expand: text around, escapes, several at once",
    of: "s: { f|expand: '\\%plain%Servers%\\\\%admins%' }",
    yes: [f("%plainsrv1\\root"), f("%plainSRV2\\adm_")],
    no: [f("%plainsrv\\root"), f("srv1\\root"), f("%plainsrv12\\root")],
  },
  {
    name: "expand with other modifiers",
    of: "s: { f|contains|expand: 'u=%admins%;', g|cidr|expand: '%net%', h|re|expand: '^%dot%$' }",
    yes: [
      { f: "xU=root;", g: "fd12::1", h: "a.c" },
      { f: "u=adm_7;", g: "10.1.1.1", h: "a.c" },
    ],
    no: [
      { f: "u=x;", g: "10.1.1.1", h: "a.c" },
      { f: "u=root;", g: "11.1.1.1", h: "a.c" },
      { f: "u=root;", g: "10.1.1.1", h: "abc" },
    ],
  },
  {
    name: "expand with windash: a dash before the placeholder begins a word",
    of: "s: { f|expand|windash: '-%admins%' }",
    yes: [f("-root"), f("/ROOT"), f("\u2014adm_x")],
    no: [f("root"), f("_root")],
  },
  {
    name: "fieldref: the field equals another",
    of: "s: { f|fieldref: g.h }",
    yes: [
      { f: "A", g: { h: "a" } },
      { f: 1, g: { h: "1" } },
      { f: ["x", "y"], "g.h": ["z", "y"] },
    ],
    no: [{ f: "a", g: { h: "b" } }, { f: "a" }, { g: { h: "a" } }, {}, { f: null, g: { h: null } }],
  },
  {
    name: "fieldref with neq, startswith, cased",
    of: "s: { f|fieldref|neq: g, h|fieldref|startswith: g, i|fieldref|cased: g }",
    yes: [{ f: "x", g: "Ab", h: "abc", i: "Ab" }],
    no: [
      { f: "ab", g: "Ab", h: "abc", i: "Ab" },
      { f: "x", g: "Ab", h: "xab", i: "Ab" },
      { f: "x", g: "Ab", h: "abc", i: "ab" },
    ],
  },
];

const REGEX: readonly Row[] = [
  {
    name: "re is found anywhere, with case",
    of: "s: { f|re: 'ab+c' }",
    yes: [f("xabbcx"), f(["x", "abc"])],
    no: [f("ac"), f("ABC"), {}],
  },
  {
    name: "re: anchors",
    of: "s: { f|re: '^a.c$' }",
    yes: [f("abc"), f("abc\n")],
    no: [f("xabc"), f("abcx"), f("abc\nx"), f("x\nabc"), f("abc\n\n"), f("a\nc")],
  },
  {
    name: "re: quantifiers, classes, alternation, groups",
    of: "s: { f|re: '^(?:[a-c]{2,3}|x[^0-9])$' }",
    yes: [f("ab"), f("abc"), f("xy")],
    no: [f("a"), f("abca"), f("x1"), f("d")],
  },
  {
    name: "re: a backslash escapes as in PCRE, not as in Sigma's texts",
    of: "s: { f|re: 'a\\\\b\\.c\\*' }",
    yes: [f("a\\b.c*")],
    no: [f("ab.c*"), f("a\\bxc*"), f("a\\b.cx")],
  },
  {
    name: "re: a dash, a wildcard and a percent sign are the expression's own",
    of: "s: { f|re: '%x%-.*y' }",
    yes: [f("%x%-y"), f("%x%-zzy")],
    no: [f("root-y")],
  },
  {
    name: "re|i in any case",
    of: "s: { f|re|i: '^abc' }",
    yes: [f("ABCd")],
    no: [f("xabc")],
  },
  {
    name: "re|m: anchors at lines",
    of: "s: { f|re|m: '^b$' }",
    yes: [f("a\nb\nc"), f("b")],
    no: [f("ab"), f("a\nbc")],
  },
  {
    name: "re|s: the dot is a newline too",
    of: "s: { f|re|s: 'a.b' }",
    yes: [f("a\nb"), f("axb")],
    no: [f("ab")],
  },
  {
    name: "re with i, m and s",
    of: "s: { f|re|i|m|s: '^b.c$' }",
    yes: [f("A\nB\nC\nd")],
    no: [f("a\nb\nc d")],
  },
  {
    name: "re with all, neq, startswith and endswith",
    of: "s: { f|re|all: [a, b], g|re|neq: x, h|re|startswith: 'a|b', i|re|endswith: 'a|b' }",
    yes: [{ f: "ba", g: "y", h: "bx", i: "xa" }],
    no: [
      { f: "a", g: "y", h: "bx", i: "xa" },
      { f: "ba", g: "axb", h: "bx", i: "xa" },
      { f: "ba", g: "y", h: "xb", i: "xa" },
      { f: "ba", g: "y", h: "bx", i: "ax" },
    ],
  },
  {
    name: "re on a number",
    of: "s: { f|re: '^46' }",
    yes: [f(4625)],
    no: [f(146)],
  },
];

const abc = "a: { f: a }\n  b: { g: b }\n  c: { h: c }\n";
const has = (names: string): Event =>
  Object.fromEntries([...names].map((name) => [{ a: "f", b: "g", c: "h" }[name] ?? "", name]));
const CONDITIONS: readonly Row[] = [
  {
    name: "and binds more than or",
    of: `${abc}  condition: a or b and c`,
    yes: [has("a"), has("bc")],
    no: [has("b"), has("c"), {}],
  },
  {
    name: "brackets",
    of: `${abc}  condition: (a or b) and c`,
    yes: [has("ac"), has("bc")],
    no: [has("a"), has("c"), has("ab")],
  },
  {
    name: "not binds more than and; it may be doubled",
    of: `${abc}  condition: not a and b or not not c`,
    yes: [has("b"), has("c"), has("abc")],
    no: [has("ab"), has("a"), {}],
  },
  {
    name: "words in capitals",
    of: `${abc}  condition: A or a AND NOT b and c`.replace("A or ", ""),
    yes: [has("ac")],
    no: [has("abc"), has("a")],
  },
  {
    name: "1 of them",
    of: `${abc}  condition: 1 of them`,
    yes: [has("a"), has("c")],
    no: [{}, { f: "x" }],
  },
  {
    name: "all of them",
    of: `${abc}  condition: all of them`,
    yes: [has("abc")],
    no: [has("ab"), {}],
  },
  {
    name: "1 of a pattern, all of a pattern, not 1 of",
    of: "sel_a: { f: a }\n  sel_b: { g: b }\n  filter_x: { h: c }\n  filter_y: { i: d }\n  condition: all of sel_* and not 1 of filter_*",
    yes: [has("ab")],
    no: [has("a"), has("abc"), { ...has("ab"), i: "d" }],
  },
  {
    name: "the star may stand anywhere in a pattern",
    of: "a_x_1: { f: a }\n  b_x_1: { g: b }\n  c_x_2: { h: c }\n  condition: 1 of *_x_1 or 1 of c*2",
    yes: [has("a"), has("b"), has("c")],
    no: [{}],
  },
  {
    name: "them and patterns leave out names that begin with an underscore",
    of: "a: { f: a }\n  _b: { g: b }\n  condition: 1 of them or 1 of *",
    yes: [has("a")],
    no: [has("b")],
  },
  {
    name: "a pattern that begins with an underscore means them",
    of: "a: { f: a }\n  _b: { g: b }\n  condition: 1 of _* and a",
    yes: [has("ab")],
    no: [has("a"), has("b")],
  },
  {
    name: "a list of conditions is any of them",
    of: `${abc}  condition: [a and b, c]`,
    yes: [has("ab"), has("c")],
    no: [has("a")],
  },
];

const textOf = (of: string): string =>
  `title: T\nlogsource: { product: p }\ndetection:\n  ${of}${of.includes("condition:") ? "" : "\n  condition: s"}\n`;

const TABLES = { VALUES, FIELDS, MODIFIERS, REGEX, CONDITIONS };
test.for(Object.entries(TABLES).flatMap(([table, rows]) => rows.map((row) => ({ table, ...row }))))(
  "$table: $name",
  ({ of, yes, no }) => {
    const file = { path: "rule.yml", text: textOf(of), lenient: false };
    const { set, problems } = readRules([file], { placeholders });
    expect(problems).toEqual([]);
    if (set === undefined) throw new Error("no set");
    const source = [{ product: "p" }];
    for (const { match } of [plainMatcher(set), indexedMatcher(set)])
      for (let round = 0; round < 2; round += 1) {
        expect(yes.filter((event) => match(event, source).length !== 1)).toEqual([]);
        expect(no.filter((event) => match(event, source).length !== 0)).toEqual([]);
      }
  },
);
