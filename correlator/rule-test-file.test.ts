import { expect, test } from "vitest";
import { readTestFile } from "./rule-test-file.ts";

const read = (text: string) => readTestFile({ path: "r.test.yml", text });
const faultsOf = (text: string) =>
  read(text).cases.map(({ problems = [] }) =>
    problems.map(({ at, message }) => `${at.replace("r.test.yml:", "")} ${message}`),
  );
const caseOf = (more: string): string => `cases:\n  - { name: n, ${more} }\n`;
const eventOf = (more: string): string => caseOf(`findings: [], events: [{ event: {}, ${more} }]`);
const findingOf = (more: string): string =>
  caseOf(`events: [], findings: [{ rule: r, count: 1, ${more} }]`);

test.for([
  {
    name: "a mistyped key",
    text: caseOf("events: [], findings: [], unitl: 5"),
    want: "2:42 cases.0.unitl is not a key here; did you mean until?",
  },
  {
    name: "a key that looks like none",
    text: caseOf("events: [], findings: [], foo: 1"),
    want: "2:42 cases.0.foo is not a key here; known are name, events, until, findings",
  },
  {
    name: "no findings",
    text: caseOf("events: []"),
    want: "2:5 cases.0 lacks the key findings (a list of { rule, group, count }, [] where there must be none)",
  },
  {
    name: "events that are a text",
    text: caseOf("events: foo, findings: []"),
    want: '2:24 cases.0.events is "foo", allowed is a list',
  },
  {
    name: "an entry without an event",
    text: caseOf("events: [{ at: 0 }], findings: []"),
    want: "2:25 cases.0.events.0 lacks the key event (the fields of an event)",
  },
  {
    name: "an event that is null",
    text: caseOf("events: [{ event: null }], findings: []"),
    want: "2:34 cases.0.events.0.event is empty, allowed is a section of keys",
  },
  {
    name: "an event of which nothing is said",
    text: "cases:\n  - name: n\n    findings: []\n    events:\n      - event:\n",
    want: "5:15 cases.0.events.0.event is empty, allowed is a section of keys",
  },
  {
    name: "a time in words",
    text: eventOf("at: x"),
    want: '2:56 cases.0.events.0.at is "x", allowed is a number from -31536000 to 31536000',
  },
  {
    name: "repeat in words",
    text: eventOf("repeat: ten"),
    want: '2:60 cases.0.events.0.repeat is "ten", allowed is a whole number from 1 to 100000',
  },
  {
    name: "repeat one below the least",
    text: eventOf("repeat: 0"),
    want: "2:60 cases.0.events.0.repeat is 0, allowed is a whole number from 1 to 100000",
  },
  {
    name: "repeat one beyond the most",
    text: eventOf("repeat: 100001"),
    want: "2:60 cases.0.events.0.repeat is 100001, allowed is a whole number from 1 to 100000",
  },
  { name: "repeat at the most", text: eventOf("repeat: 100000, at: -0.5"), want: undefined },
  {
    name: "every for everyS",
    text: eventOf("every: 5"),
    want: "2:52 cases.0.events.0.every is not a key here; did you mean everyS?",
  },
  {
    name: "a log source that is a text",
    text: caseOf("events: [{ event: { wache: { sources: sshd } } }], findings: []"),
    want: '2:54 cases.0.events.0.event.wache.sources is "sshd", allowed is a list',
  },
  { name: "a finding without group", text: findingOf(""), want: undefined },
  {
    name: "a group's value that is a number",
    text: findingOf("group: { user.id: 5 }"),
    want: "2:78 cases.0.findings.0.group.user.id is 5, allowed is text (put it in quotes)",
  },
  {
    name: "a level that is none",
    text: findingOf("level: hihg"),
    want: '2:67 cases.0.findings.0.level is "hihg", allowed are informational, low, medium, high, critical; did you mean high?',
  },
  {
    name: "a case that is nothing",
    text: "cases: [null]",
    want: "1:9 cases.0 lacks the key name (text)",
  },
  {
    name: "no case",
    text: "cases: []",
    want: "1:1 has no cases; write [{ name, events, findings }]",
  },
  { name: "nothing", text: "", want: "1:1 has no cases; write [{ name, events, findings }]" },
  {
    name: "cases that are a text",
    text: "cases: foo",
    want: '1:8 cases is "foo", allowed is a list',
  },
  {
    name: "no YAML",
    text: "cases: [",
    want: "1:9 Flow sequence in block collection must be sufficiently indented and end with a ]",
  },
  {
    name: "two documents",
    text: `${caseOf("events: [], findings: []")}---\nb: 1\n`,
    want: "4:1 a second document; a test is one, with all cases",
  },
])("a rule's test: $name", ({ text, want }) => {
  const [faults = []] = faultsOf(text);
  expect(faults[0]).toEqual(want);
});

test("a faulty case leaves the others as they are; what is wrong with the file is wrong with each", () => {
  const good = "  - { name: good, events: [], findings: [] }\n";
  const bad = "  - { name: bad, events: [] }\n";
  expect(faultsOf(`cases:\n${good}${bad}${good}`).map((found) => found.length)).toEqual([0, 1, 0]);
  expect(faultsOf(`evnts: {}\ncases:\n${good}${bad}`)).toEqual([
    ["1:1 evnts is not a key here; did you mean events?"],
    ["1:1 evnts is not a key here; did you mean events?", expect.stringMatching(/^4:5 cases.1 l/)],
  ]);
  expect(read(`cases:\n${bad}  - 5\n`).cases.map(({ name }) => name)).toEqual(["bad", "case 2"]);
});
