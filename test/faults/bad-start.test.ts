// What cannot start says in words what is wrong and what to do, and ends with an exit code; what may come back is waited for.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, openHouse, until, wache } from "../house.ts";
import { mountSmallDisk, NO_MOUNT } from "../small-disk.ts";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "wache-start-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const NO_SYSLOG = "collectors: { syslog: { enabled: false } }\n";
let runs = 0;
/** `wache run` to its end, which it must come to by itself. */
function run(yaml: string | Buffer, data = join(dir, `data${runs}`)) {
  const file = join(dir, `wache${runs++}.yaml`);
  writeFileSync(file, yaml);
  return wache("run", "--config", file, "--data", data, "--port", "0", "--json");
}

test("a configuration with a fault: file, line, reason", async () => {
  const { code, out, error } = await run("api:\n  host: 127.0.0.1\n  prot: 1\n");
  expect([code, out]).toEqual([2, ""]);
  expect(error).toMatch(/wache\d+\.yaml:3:3: api\.prot is not a key here; did you mean port\?\n$/);
});

test("a port in use is named, with what to do", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  try {
    const syslog = await run(`collectors: { syslog: { udpPort: 0, tcpPort: ${port} } }\n`);
    expect(syslog.code).toBe(1);
    expect(syslog.error).toContain(
      `wache: syslog cannot listen on TCP port ${port} of 127.0.0.1: another program uses it; `,
    );
    const data = join(dir, "taken");
    const file = join(dir, "taken.yaml");
    writeFileSync(file, NO_SYSLOG);
    const http = await wache("run", "--config", file, "--data", data, "--port", String(port));
    expect([http.code, http.error]).toEqual([
      3,
      expect.stringMatching(/^wache: port \d+ on 127\.0\.0\.1 is in use by another program: stop/),
    ]);
  } finally {
    taken.close();
  }
});

test.for(["wache.lock", "bus.db", "collector.db", "store/documents.db"])(
  "a damaged %s is named, and the backup",
  async (name) => {
    const data = join(dir, name.replace("/", "-"));
    mkdirSync(join(data, "store"), { recursive: true });
    writeFileSync(join(data, name), "no database ".repeat(1000));
    const { code, error } = await run(NO_SYSLOG, data);
    expect(code).toBe(1);
    expect(error).toMatch(
      /wache: .*is damaged: file is not a database; restore the data folder from the backup/,
    );
    expect(error).not.toContain("    at ");
  },
);

test.for([
  { name: "read-only", options: "ro", want: /^wache: .* can't be written or read: / },
  { name: "full", options: "size=64k", want: /^wache: no space is left for .*; free space on/m },
])("a data folder on a disk that is $name", async ({ name, options, want }, { skip }) => {
  const data = join(dir, `disk-${name}`);
  const disk = mountSmallDisk(data, options);
  if (disk === undefined) return skip(NO_MOUNT);
  try {
    const { code, error } = await run(NO_SYSLOG, data);
    expect(error).toMatch(want);
    expect([code, error.includes("    at ")]).toEqual([1, false]);
  } finally {
    disk.unmount();
  }
});

test("Kafka nowhere: it says so, tries again, and ends on SIGTERM with 0", async () => {
  const file = join(dir, "kafka.yaml");
  writeFileSync(file, `bus: { kind: kafka, kafka: { brokers: ["127.0.0.1:9"] } }\n${NO_SYSLOG}`);
  const cli = join(import.meta.dirname, "..", "..", "cli", "wache.mjs");
  const args = ["run", "--config", file, "--data", join(dir, "kafka"), "--port", "0", "--json"];
  const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += String(chunk);
  });
  const times = async (): Promise<number> => said.split("waiting for Kafka: ").length - 1;
  expect(await until(times, (count) => count >= 2, 30_000)).toBeGreaterThanOrEqual(2);
  expect(said).toContain("127.0.0.1:9");
  expect(said).not.toMatch(/KafkaJS| {4}at /);
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
});

test("OpenSearch nowhere: pages and inputs work, readiness says what is missing, SIGTERM ends it with 0", async () => {
  const house = openHouse({
    store: { kind: "opensearch", opensearch: { node: "http://127.0.0.1:9" } },
    collectors: { syslog: { enabled: false } },
  });
  try {
    const one = house.process("run");
    await one.start();
    await expect(ask(one.data, "/readyz")).rejects.toThrow(
      '"store":{"ok":false,"text":"waiting for OpenSearch"}',
    );
    expect(await one.stop()).toBe(0);
  } finally {
    await house.dispose();
  }
});
