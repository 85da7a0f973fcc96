// evtx.test.ts — the spellings that tools have for XML's attributes and for elements with names.
import { expect, test } from "vitest";
import { evtxTime, withNamedData } from "./evtx.ts";

const TIME = "2026-01-05T08:00:00.123456Z";
test.for([
  {
    name: "an object of attributes",
    system: { TimeCreated: { "#attributes": { SystemTime: TIME } } },
  },
  {
    name: "attributes beside the element",
    system: { TimeCreated_attributes: { SystemTime: TIME } },
  },
  { name: "attributes with an @", system: { TimeCreated: { "@SystemTime": TIME } } },
  { name: "attributes as fields", system: { TimeCreated: { SystemTime: TIME } } },
  { name: "the time itself", system: { TimeCreated: TIME } },
])("a time: $name", ({ system }) => {
  expect(evtxTime({ Event: { System: system } })).toBe(TIME);
  expect(evtxTime(system)).toBe(TIME);
});

test.for([{}, { Event: null }, { Event: { System: "x" } }, { TimeCreated: {} }])(
  "no time: %o",
  (event) => {
    expect(evtxTime(event)).toBeUndefined();
  },
);

const element = (name: string, text: string) => [
  { "@Name": name, "#text": text },
  { "#attributes": { Name: name }, "#text": text },
  { Name: name, "#text": text },
];
test.for([0, 1, 2])("data by name, spelling %i", (spelling) => {
  const event = (Data: unknown) => ({
    a: 1,
    Event: { System: { EventID: 1 }, EventData: { Data } },
  });
  const [image, user] = [element("Image", "C:\\x.exe")[spelling], element("User", "bob")[spelling]];
  expect(withNamedData(event([image, user, "loose"]))).toEqual({
    a: 1,
    Event: {
      System: { EventID: 1 },
      EventData: { Image: "C:\\x.exe", User: "bob", Data: ["loose"] },
    },
  });
  expect(withNamedData(event(image))).toMatchObject({
    Event: { EventData: { Image: "C:\\x.exe" } },
  });
});

test("an element without a text is empty, one with a name of JavaScript's is a field like others", () => {
  const Data = [{ "@Name": "Empty" }, { "@Name": "__proto__", "#text": "x" }];
  const { Event } = withNamedData({ Event: { EventData: { Data } } }) as {
    readonly Event: { readonly EventData: object };
  };
  expect(Object.entries(Event.EventData)).toEqual([
    ["Empty", ""],
    ["__proto__", "x"],
  ]);
});

test("what has no name, or more than a text, or a name that is taken, stays as it was", () => {
  const other = [
    { Name: "Image", Value: "C:\\x.exe" },
    { Name: "User", _: "bob" },
    { "@Name": "Data", "#text": "1" },
    { "@Name": "Known", "#text": "new" },
    { "#attributes": { Name: "Level" }, "#text": { a: 1 } },
    "loose",
  ];
  const Data = [...other, { "@Name": "A", "#text": "1" }, { "@Name": "A", "#text": "2" }];
  expect(withNamedData({ Event: { EventData: { Known: "old", Data } } })).toEqual({
    Event: { EventData: { Known: "old", A: ["1", "2"], Data: other } },
  });
  const untouched = { Event: { EventData: { Data: other.slice(0, 2) } } };
  expect(withNamedData(untouched)).toBe(untouched);
});

test.for([
  {},
  { Event: 1 },
  { Event: { EventData: null } },
  { Event: { EventData: { Image: "x" } } },
  { Event: { EventData: { Data: ["a", "b"] } } },
  { Event: { EventData: { Data: { "#text": ["a"] } } } },
])("another form is left as it is: %o", (event) => {
  expect(withNamedData(event)).toBe(event);
});
