import { expect, test } from "vitest";
import { CLOSED_PORTS, FORMS } from "./addresses.ts";

/** Stands in for the network: whatever may be sent arrives nowhere. */
const dispatcher = {
  dispatch: (_: unknown, handler: { readonly onError: (error: Error) => void }) => {
    handler.onError(new Error("sent"));
    return true;
  },
};

test("the ports that are refused are those to which fetch sends nothing", async () => {
  const closed: number[] = [0]; // fetch tries it, and the system refuses
  for (let port = 1; port <= 11_000; port++) {
    const failed = await fetch(`http://127.0.0.1:${port}/`, { dispatcher } as object).catch(
      ({ cause }: { readonly cause: Error }) => cause.message,
    );
    if (failed !== "sent") closed.push(port);
  }
  expect(CLOSED_PORTS).toEqual(closed);
});

test.for([
  { url: "http://host:6000/", port: "6000" },
  { url: "https://host:25/hook", port: "25" },
  { url: "http://[::1]:0/", port: "0" },
  { url: "http://host:5999/" },
  { url: "http://host:80/" },
  { url: "https://host/" },
  { url: "http://host:443/" },
  { url: "https://host:65535/6000" },
])("$url: $port", ({ url, port }) => {
  const fault = FORMS.webAddress(url);
  expect(fault?.match(/^names port (\d+),/)?.[1]).toBe(port);
});
