import { expect, test } from "vitest";
import { withheld } from "./withheld.ts";

const HOOK = "https://pager.example/hook/T0pS3cret?token=QuErY99&v=1";

test.for([
  { name: "nothing of it", text: "HTTP 500: busy", want: "HTTP 500: busy" },
  {
    name: "the whole",
    text: `Failed to parse URL from ${HOOK}`,
    want: "Failed to parse URL from …",
  },
  {
    name: "path and query",
    text: "Cannot POST /hook/T0pS3cret?token=QuErY99&v=1",
    want: "Cannot POST …",
  },
  { name: "the path", text: "no route /hook/T0pS3cret", want: "no route …" },
  { name: "a part of the path", text: "unknown hook T0pS3cret", want: "unknown hook …" },
  { name: "a value of the query", text: "bad token QuErY99", want: "bad token …" },
  { name: "short words", text: "v 1 of the hook", want: "v 1 of the hook" },
  {
    name: "a password",
    address: "http://ada:WEBPASS@host/",
    text: "credentials: http://ada:WEBPASS@host/ and WEBPASS",
    want: "credentials: … and …",
  },
  { name: "what was encoded", address: "http://h/s%C3%A9cret1", text: "sécret1", want: "…" },
  { name: "no path at all", address: "http://host/", text: "a / b", want: "a / b" },
  { name: "no address", address: "nonsense", text: "nonsense", want: "nonsense" },
])("withheld: $name", ({ text, want, address }) => {
  expect(withheld(text, address ?? HOOK)).toBe(want);
});
