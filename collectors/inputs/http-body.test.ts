// http-body.test.ts — the events that a JSON body holds, each in its place.
import { expect, test } from "vitest";
import { bodyOf } from "./http-body.ts";

const a = { eventName: "StopLogging" };
const b = { eventName: "DeleteTrail" };

test.for([
  { name: "an object", body: a, values: [a] },
  { name: "an array", body: [a, b], values: [a, b] },
  { name: "an empty array", body: [], values: [] },
  { name: "a file of CloudTrail", body: { Records: [a, b] }, values: [a, b] },
  { name: "an export of Azure", body: { records: [a] }, values: [a] },
  {
    name: "what Kubernetes posts to a webhook",
    body: { kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items: [a, b] },
    values: [a, b],
  },
  {
    name: "a page of Microsoft Graph",
    body: { "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x", value: [a] },
    values: [a],
  },
  { name: "no records", body: { Records: [] }, values: [] },
  ...[
    { name: "a field of that name beside others", body: { Records: [a], x: 1 } },
    { name: "a list of plain values", body: { Records: [a, "x"] } },
    { name: "no list", body: { Records: a } },
    { name: "another kind with items", body: { kind: "PodList", items: [a] } },
    { name: "a value without a context", body: { value: [a] } },
  ].map(({ name, body }) => ({ name, body, values: [body] })),
])("a JSON body: $name", ({ body, values }) => {
  const read = bodyOf(Buffer.from(JSON.stringify(body)), "application/json", 1_000_000);
  expect(read).toEqual({
    kind: "lines",
    lines: values.map((value) => ({ text: JSON.stringify(value), value })),
  });
});
