// windows-shippers.test.ts — what shippers put into a text or a number, as the event log says it.
import { expect, test } from "vitest";
import { depthMax, jsonEvent } from "./json-line.ts";
import { withWindowsFields } from "./windows-shippers.ts";

const named = [{ "@Name": "Image", "#text": "C:\\x.exe" }, { "@Name": "User" }];
const payload = (data: unknown) => JSON.stringify(data);
test.for([
  {
    name: "EvtxECmd: the payload",
    event: { EventId: 1, ProcessId: 4, Payload: payload({ EventData: { Data: named } }) },
    want: {
      ...{ EventId: 1, ExecutionProcessID: 4 },
      Event: { EventData: { Image: "C:\\x.exe", User: "" } },
    },
  },
  {
    name: "EvtxECmd: a payload of the provider's own form",
    event: { EventId: 104, ThreadId: 8, Payload: payload({ UserData: { A: { Channel: "x" } } }) },
    want: { EventId: 104, ExecutionThreadID: 8, Event: { UserData: { A: { Channel: "x" } } } },
  },
  {
    name: "EvtxECmd: the name of the data is not overwritten",
    event: {
      ...{ EventId: 1, ProcessId: 4 },
      Payload: payload({ EventData: { Data: { "@Name": "ProcessId", "#text": "77" } } }),
    },
    want: { EventId: 1, ExecutionProcessID: 4, Event: { EventData: { ProcessId: "77" } } },
  },
  {
    name: "Splunk: the channel in the source",
    event: { source: "XmlWinEventLog:Security", EventCode: "1" },
    want: { source: "XmlWinEventLog:Security", EventCode: "1", Channel: "Security" },
  },
  {
    name: "Splunk: of a log that is no XML",
    event: { source: "WinEventLog:A/B" },
    want: { source: "WinEventLog:A/B", Channel: "A/B" },
  },
  {
    name: "NXLog: keywords as a signed number",
    event: { Keywords: Number("-9218868437227405312") },
    want: { Keywords: "0x8010000000000000" },
  },
  { name: "keywords of no bit", event: { Keywords: 0 }, want: { Keywords: "0x0" } },
  {
    name: "Winlogbeat: keywords as words",
    event: { winlog: { channel: "Security", keywords: ["x", "Audit Failure"] } },
    want: {
      winlog: { channel: "Security", keywords: ["x", "Audit Failure", "0x8010000000000000"] },
    },
  },
])("$name", ({ event, want }) => {
  expect(withWindowsFields(event)).toEqual(want);
  expect(withWindowsFields(want)).toBe(want); // what was read once is read the same
});

test.for([
  {},
  { EventId: 1, Payload: 7 },
  { EventId: 1, Payload: "a text" },
  { EventId: 1, Payload: '{"EventData":{"Data":[' },
  { EventId: 1, Payload: '{"EventData":"x"}' },
  { EventId: 1, Payload: "[1]" },
  { EventId: 1, Payload: '{"EventData":{}}', Event: {} },
  { EventID: 4103, Payload: '{"EventData":{}}' },
  { source: "WinEventLog:System", Channel: "Security" },
  { source: "WinEventLog:System", LogName: "Security" },
  { source: "/var/log/WinEventLog:System" },
  { source: { ip: "10.0.0.1" } },
  { Keywords: "0x8010000000000000" },
  { Keywords: 1.5 },
  { winlog: { keywords: ["Classic"] } },
  { winlog: { keywords: "Audit Failure" } },
  { winlog: null },
])("another form is left as it is: %o", (event) => {
  expect(withWindowsFields(event)).toBe(event);
});

test("what stands in a text may nest no deeper than the event", () => {
  const nested = (levels: number): unknown => (levels === 0 ? "x" : { a: nested(levels - 1) });
  const sent = (levels: number) =>
    jsonEvent(
      { EventId: 1, Payload: payload({ EventData: nested(levels) }) },
      { zone: "UTC", latestMs: 0 },
    );
  expect(sent(depthMax - 2)).not.toHaveProperty("refused");
  expect(sent(depthMax - 1)).toHaveProperty("refused.code", "json.too-deep");
});
