// What the verb tells of what the collector answered.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { main } from "../main.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-send-verb-"));
afterAll(() => rmSync(folder, { recursive: true }));
const log = join(folder, "app.log");
writeFileSync(log, "one\ntwo\nthree\n");

async function send(late: number, ...args: string[]) {
  const server = createServer((request, response) => {
    const isLines = request.method === "POST" && !request.url?.includes("end=true");
    request.resume().on("end", () => {
      const taken = isLines ? { events: 3, late, dead_letters: 0 } : { position: 0 };
      response.end(JSON.stringify(taken));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const to = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const out: string[] = [];
  const err: string[] = [];
  await main(["send", "--to", to, "--token", "t", ...args, log], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  return { out: out.join("\n"), err: err.join("\n") };
}

const WORDS =
  "came later than the lateness (time.lateness): kept, not correlated; wache backfill --late correlates";
test.for([
  { name: "none late", late: 0, args: [], err: "" },
  { name: "one late", late: 1, args: [], err: `${log}: 1 event ${WORDS} it` },
  { name: "two late, as of now", late: 2, args: ["--now"], err: `${log}: 2 events ${WORDS} them` },
])("send tells what came too late: $name", async ({ late, args, err }) => {
  const told = await send(late, ...args);
  expect(told.out).toContain("3 events from 3 lines");
  expect(told.err).toBe(err);
  const json = await send(late, "--json", ...args);
  expect(JSON.parse(json.out)).toMatchObject({ sent: 3, events: 3, late });
  expect(json.err).toBe("");
});
