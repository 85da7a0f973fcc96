// path-steps.test.ts — what a path with brackets finds, and which are refused.
import { expect, test } from "vitest";
import { FieldReader, valueAtFirst } from "./field-reader.ts";
import { stepFault } from "./path-steps.ts";

const workspace = {
  events: [
    {
      name: "CHANGE_APPLICATION_SETTING",
      parameters: [
        { name: "SETTING_NAME", value: "ContextAwareAccess" },
        { name: "NEW_VALUE", value: false },
        { name: "GROUPS", multiValue: ["a", "b"] },
        { name: "GROUPS", multiValue: ["c"] },
        "x",
        null,
      ],
    },
  ],
};
const role = {
  targetResources: [
    {
      type: "User",
      id: 7,
      modifiedProperties: [
        { displayName: "Role.DisplayName", oldValue: null, newValue: '"Admins"' },
      ],
    },
  ],
  locations: [],
};
const process = { process: { args: ["base64", "-d", 3, { a: 1 }], title: "x" } };

test.for([
  { name: "a place", event: process, path: "process.args[1]", want: "-d" },
  { name: "a place beyond the end", event: process, path: "process.args[4]", want: undefined },
  { name: "a place of no list", event: process, path: "process.title[0]", want: undefined },
  {
    name: "the element of a name, in a list in a list",
    event: workspace,
    path: "events.parameters[name=new_value].value",
    want: false,
  },
  {
    name: "step after step",
    event: workspace,
    path: "events[0].parameters[name=new_value].value",
    want: false,
  },
  {
    name: "several of a name",
    event: workspace,
    path: "events[0].parameters[name=GROUPS].multiValue",
    want: ["a", "b", "c"],
  },
  {
    name: "no element of the name",
    event: workspace,
    path: "events[0].parameters[name=OLD_VALUE].value",
    want: undefined,
  },
  {
    name: "the element itself",
    event: workspace,
    path: "events[0].parameters[value=contextawareaccess]",
    want: { name: "SETTING_NAME", value: "ContextAwareAccess" },
  },
  {
    name: "a list as one text",
    event: process,
    path: "process.args[ ]",
    want: "base64 -d 3",
  },
  { name: "a text as one text", event: process, path: "process.title[ ]", want: "x" },
  {
    name: "every text below",
    event: role,
    path: "targetResources[**]",
    want: ["User", 7, "Role.DisplayName", '"Admins"'],
  },
  { name: "no text below", event: role, path: "locations[**]", want: [] },
  { name: "the JSON of an empty list", event: role, path: "locations[json]", want: "[]" },
  { name: "the JSON of a text", event: process, path: "process.title[json]", want: "x" },
  { name: "missing", event: role, path: "location[json]", want: undefined },
  { name: "an extension", event: { url: "/a/b.tar.GZ?x=/c.d" }, path: "url[.]", want: "GZ" },
  { name: "no file", event: { url: "https://a.zip" }, path: "url[.]", want: undefined },
  { name: "a whole address", event: { url: "https://a.zip/b.exe#c" }, path: "url[.]", want: "exe" },
  { name: "none", event: { url: "/a.b/c" }, path: "url[.]", want: undefined },
  { name: "a prototype's name", event: role, path: "constructor[json]", want: undefined },
])("in brackets: $name", ({ event, path, want }) => {
  expect(valueAtFirst(event, [path])).toEqual(want);
  const reader = new FieldReader();
  const slot = reader.slotOf([path]);
  reader.read(event);
  expect(reader.value(slot)).toEqual(want);
});

test.for([
  { path: "a.b", fault: false },
  { path: "a[0]", fault: false },
  { path: "a[name=x].b[.]", fault: false },
  { path: "a[name=x y.z].b", fault: false },
  { path: "a[name].b", fault: true },
  { path: "a[=x]", fault: true },
  { path: "a[]", fault: true },
  { path: "a[0", fault: true },
  { path: "[0]", fault: true },
  { path: "a[0]b", fault: true },
  { path: "a[0].", fault: true },
  { path: "a[0].b[c]", fault: true },
])("a path that can be read: $path", ({ path, fault }) => {
  expect(stepFault(path) !== undefined).toBe(fault);
});
