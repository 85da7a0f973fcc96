// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration's own form of the environment's names
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Check } from "typebox/value";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig, secretsOf } from "./config.ts";
import { configSchema } from "./config-schema.ts";
import { UserError } from "./errors.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wache-config-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const load = (text: string | Buffer, env: Record<string, string> = {}, overrides = {}) => {
  writeFileSync(join(folder, "w.yaml"), text);
  return loadConfig({ file: "w.yaml", cwd: folder, env, overrides });
};
const faultOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error("it was not refused");
};

const HELD =
  "holds a user name or password, allowed is an address without; take them out (a webhook's key signs what is sent)";
const CLOSED_PORT =
  "names port 6000, to which nothing is ever sent by HTTP as another protocol has it, allowed is any other; let the receiver listen on one such as 8443";
const NO_WEB_ADDRESS =
  "is no whole address of http or https, allowed is one such as https://pager.example.com/wache";

test("an absent default file, an empty one and one of comments are the same working configuration", () => {
  const absent = loadConfig({ cwd: folder, env: {} });
  expect(Check(configSchema, absent)).toBe(true);
  expect(absent.data).toBe(join(folder, "wache-data"));
  expect(absent.collectors.syslog.connectionsMax).toBe(1000);
  expect(absent.alerting).toEqual({
    channels: {},
    routes: [],
    snapshot: "60s",
    delivery: { attemptsMax: 12, backoff: "2s", backoffMax: "10m", timeout: "15s" },
  });
  expect(load("")).toEqual(absent);
  expect(load("# nothing\n")).toEqual(absent);
});

test("a section, a list's entry and a channel get the defaults of what they leave out", () => {
  const config = load(
    "api: { port: 1 }\ncollectors:\n  files:\n    - path: logs/a.log\nalerting:\n  channels:\n    mail: { type: email, host: h, from: a@b, to: [c@d] }\n",
  );
  expect(config.api).toEqual({
    host: "127.0.0.1",
    port: 1,
    openHealth: true,
    openMetrics: true,
    session: "12h",
  });
  expect(config.collectors.files).toEqual([{ path: join(folder, "logs/a.log"), from: "start" }]);
  expect(config.alerting.channels.mail).toEqual({
    type: "email",
    host: "h",
    port: 587,
    requireTls: true,
    from: "a@b",
    to: ["c@d"],
  });
});

test.for([
  {
    name: "a text that is too long",
    text: `correlator: { placeholders: { admins: [root, ${"a".repeat(1001)}] } }`,
    want: [
      "w.yaml:1:46: correlator.placeholders.admins[1] has 1001 characters, allowed are 1000 at most",
    ],
  },
  {
    name: "a typing error in a key",
    text: "api:\n  prot: 1\n",
    want: ["w.yaml:2:3: api.prot is not a key here; did you mean port?"],
  },
  {
    name: "a key like nothing known",
    text: "log:\n  zzzzzzzz: 1\n",
    want: ["w.yaml:2:3: log.zzzzzzzz is not a key here; known are level"],
  },
  {
    name: "a section that is none, with keys of the one above",
    text: "bus:\n  embedded: { partitions: 8, nokey: 1, retention: 1d }\n",
    want: [
      "w.yaml:2:3: bus.embedded is not a key here; known are kind, partitions, retention, kafka; for its partitions there is bus.partitions; for its retention there is bus.retention",
    ],
  },
  {
    name: "keys of another section, of a list's entries, of two sections, and of one too far away",
    text: "alerting: { publicUrl: u }\ncorrelator: { lenient: true }\ntime: { retention: 1d }\nstore: { kind: embedded, type: x }\n",
    want: [
      "w.yaml:1:13: alerting.publicUrl is not a key here; elsewhere there is api.publicUrl; known here are channels, routes, delivery, snapshot",
      "w.yaml:2:15: correlator.lenient is not a key here; elsewhere there is correlator.rules[].lenient; known here are rules, mappings, assets, shippedRules, placeholders, groupsMax, matchesMax, valuesMax, evidenceMax, late, snapshot",
      "w.yaml:3:9: time.retention is not a key here; elsewhere there is bus.retention and store.retention; known here are lateness, zone",
      "w.yaml:4:26: store.type is not a key here; known are kind, retention, opensearch",
    ],
  },
  {
    name: "keys of another type of channel, of what a list stands in, of a secret's file, and like one here",
    text: "bus: { password_file: p }\ncollectors: { files: [{ path: p, lineBytesMax: 1 }] }\ncorrelator: { page: false }\nalerting: { channels: { x: { type: webhook, url: http://h/, port: 1 } } }\n",
    want: [
      "w.yaml:1:8: bus.password_file is not a key here; elsewhere there is store.opensearch.password_file; known here are kind, partitions, retention, kafka",
      "w.yaml:2:34: collectors.files[0].lineBytesMax is not a key here; elsewhere there is collectors.lineBytesMax; known here are path, name, zone, logSource, from",
      "w.yaml:3:15: correlator.page is not a key here; did you mean correlator.late.page or late?",
      "w.yaml:4:61: alerting.channels.x.port is not a key here; known are type, url, key",
    ],
  },
  {
    name: "a number out of range",
    text: "api:\n  port: 65536\n",
    want: ["w.yaml:2:9: api.port is 65536, allowed is a whole number from 0 to 65535"],
  },
  {
    name: "the last number in range",
    text: "api:\n  port: 65535\n",
    want: [],
  },
  {
    name: "a wrong word",
    text: "bus: { kind: kafak }\n",
    want: ['w.yaml:1:14: bus.kind is "kafak", allowed are embedded, kafka; did you mean kafka?'],
  },
  {
    name: "a bad span",
    text: "store:\n  retention: 5 days\n",
    want: [
      'w.yaml:2:14: store.retention is "5 days", allowed is a span such as 30s, 10m, 1h or 7d',
    ],
  },
  {
    name: "a scalar for a section, and a second fault further down",
    text: "api: 3\nlog:\n  level: loud\n",
    want: [
      'w.yaml:3:10: log.level is "loud", allowed are trace, debug, info, warn, error',
      "w.yaml:1:6: api is 3, allowed is a section of keys",
    ],
  },
  {
    name: "a channel without a type",
    text: "alerting:\n  channels:\n    x: { url: u }\n",
    want: ["w.yaml:3:8: alerting.channels.x lacks the key type; allowed are slack, email, webhook"],
  },
  {
    name: "a channel of a wrong type",
    text: "alerting:\n  channels:\n    x: { type: slak }\n",
    want: [
      'w.yaml:3:16: alerting.channels.x.type is "slak", allowed are slack, email, webhook; did you mean slack?',
    ],
  },
  {
    name: "a required key left out",
    text: "alerting:\n  channels:\n    x:\n      type: webhook\n",
    want: ["w.yaml:4:7: alerting.channels.x lacks the key url (http or https)"],
  },
  ...[
    { url: "http://ada:S3CRET@host/S3CRET", fault: HELD },
    { url: "https://S3CRET@host/", fault: HELD },
    { url: "pager.example.com/S3CRET", fault: NO_WEB_ADDRESS },
    { url: "ftp://host/S3CRET", fault: NO_WEB_ADDRESS },
    { url: "http:host/S3CRET", fault: NO_WEB_ADDRESS },
    { url: "http://", fault: NO_WEB_ADDRESS },
    { url: "/S3CRET", fault: NO_WEB_ADDRESS },
    { url: "https://host:6000/S3CRET", fault: CLOSED_PORT },
  ].map(({ url, fault }) => ({
    name: `the address ${url}`,
    text: `alerting:\n  channels:\n    x: { type: webhook, url: "${url}" }\n    y: { type: slack, channel: c, apiUrl: "${url}" }\n`,
    want: [
      `w.yaml:3:30: alerting.channels.x.url ${fault}`,
      `w.yaml:4:43: alerting.channels.y.apiUrl ${fault}`,
    ],
  })),
  ...["wache", "wache@", "@example.com", "a@b@c", "a@b, c@d", "<a@b", "A a@b", ""].map((mail) => ({
    name: `the mail address "${mail}"`,
    text: `alerting:\n  channels:\n    x: { type: email, host: h, from: "${mail}", to: ["${mail}"] }\n`,
    want: ["from", "to[0]"].map(
      (key) =>
        `w.yaml:3:${key === "from" ? 38 : 46 + mail.length + 1}: alerting.channels.x.${key} is "${mail}", allowed is one address, such as team@example.com or Team <team@example.com>`,
    ),
  })),
  ...["a@b", "Wache <wache@example.com>", '"Doe, J" <j.doe+x@example.com>'].map((mail) => ({
    name: `nothing of the mail address ${mail}`,
    text: `alerting:\n  channels:\n    x: { type: email, host: h, from: '${mail}', to: ['${mail}'] }\n`,
    want: [],
  })),
  {
    name: "a duplicate key",
    text: "api: {}\napi: {}\n",
    want: ["w.yaml:2:1: the key stands here for the second time"],
  },
  {
    name: "the environment's name that is not set",
    text: 'data: "${NO_SUCH}/x"\n',
    want: [
      "w.yaml:1:7: data names the environment variable NO_SUCH, which is not set; set it, or give a default: ${NO_SUCH:-…}",
    ],
  },
  {
    name: "a secret of the wrong kind is not shown",
    text: "bus:\n  kafka:\n    saslPassword: 123456\n",
    want: ["w.yaml:3:19: bus.kafka.saslPassword is a number, allowed is text (put it in quotes)"],
  },
  {
    name: "a secret in two forms",
    text: "bus:\n  kafka:\n    saslPassword: a\n    saslPassword_file: b\n",
    want: [
      "w.yaml:4:5: bus.kafka.saslPassword_file is given beside saslPassword; allowed is one of the two",
    ],
  },
  {
    name: "the file form of a key that is no secret",
    text: "log:\n  level_file: b\n",
    want: ["w.yaml:2:3: log.level_file is not a key here; known are level"],
  },
  {
    name: "a prototype's name",
    text: "__proto__: {}\nconstructor: 1\n",
    want: [
      "w.yaml:1:1: __proto__ is not a key here; known are data, log, bus, store, time, collectors, correlator, alerting, api",
      "w.yaml:2:1: constructor is not a key here; known are data, log, bus, store, time, collectors, correlator, alerting, api",
    ],
  },
  {
    name: "a list for the file",
    text: "- a\n",
    want: ['w.yaml:1:1: the file must be a section of keys, such as "api:"'],
  },
])("refused: $name", ({ text, want }) => {
  if (want.length === 0) {
    expect(() => load(text)).not.toThrow();
    return;
  }
  const lines = faultOf(() => load(text)).split("\n");
  expect(
    lines
      .slice(1)
      .map((line) => line.trim())
      .toSorted(),
  ).toEqual(want.toSorted());
});

test("faults stand in the order of their lines, whatever their section", () => {
  const text = "store:\n  type: none\nlog:\n  level: loud\napi:\n  port: -1\nnokey: 1\n";
  const lines = faultOf(() => load(text))
    .split("\n")
    .slice(1);
  expect(lines.map((line) => /w\.yaml:(\d+):/.exec(line)?.[1])).toEqual(["2", "4", "6", "7"]);
});

test.for([
  { name: "never closed", text: "api:\n  port: [1\n", want: /w\.yaml:3:1: / },
  { name: "a tab", text: "api:\n\tport: 1\n", want: /w\.yaml:2:1: Tabs are not allowed/ },
  {
    name: "an alias of nothing",
    text: "api:\n  host: *home\n",
    want: /w\.yaml:2:9: \*home is used, but no &home stands before it$/,
  },
  {
    name: "aliases of aliases",
    text: `a: &a [${"x,".repeat(99)}x]\nb: &b [${"*a,".repeat(99)}*a]\nc: [${"*b,".repeat(99)}*b]\n`,
    want: /w\.yaml:2:8: aliases stand for more than 100 values; write them out/,
  },
  {
    name: "two documents",
    text: "api: {}\n---\napi: {}\n",
    want: /w\.yaml:2:1: a second document begins here; a configuration is one$/,
  },
  { name: "a tag", text: "api: !env {}\n", want: /w\.yaml:1:6: Unresolved tag: !env$/ },
  {
    name: "Latin-1",
    text: Buffer.from("log: {}\ndata: caf\xe9\n", "latin1"),
    want: /w\.yaml:2:1: this line is not UTF-8; save the file as such$/,
  },
  {
    name: "UTF-16",
    text: Buffer.from("\ufefflog: {}\n", "utf16le"),
    want: /w\.yaml:1:1: this line is not UTF-8; save the file as such$/,
  },
  {
    name: "more faults than anyone reads",
    text: Array.from({ length: 30 }, (_, at) => `nokey${at}: 1`).join("\n"),
    want: /^w\.yaml has 30 faults, nothing was started:(\n {2}w\.yaml:\d+:1: .*){20}$/,
  },
])("broken YAML names the line: $name", ({ text, want }) => {
  expect(faultOf(() => load(text))).toMatch(want);
});

test("an explicitly named file that is absent is refused", () => {
  expect(faultOf(() => loadConfig({ file: "none.yaml", cwd: folder, env: {} }))).toMatch(
    /^the configuration none\.yaml can't be read: there is no such file or folder; check the path, or leave --config out for the defaults$/,
  );
});

test("a default file that can't be read is refused", () => {
  mkdirSync(join(folder, "wache.yaml"));
  expect(faultOf(() => loadConfig({ cwd: folder, env: {} }))).toBe(
    "the configuration wache.yaml can't be read: it is a folder; name a file, or name another with --config",
  );
});

test("the environment fills strings, numbers and booleans", () => {
  const env = { HOST: "0.0.0.0", PORT: "99", TLS: "true", EMPTY: "" };
  const text =
    "api: { host: '${HOST}', port: '${PORT}', publicUrl: 'http://${NAME:-localhost}:${PORT}' }\nbus: { kafka: { ssl: '${TLS}', clientId: '${EMPTY:-x}' } }\n";
  const config = load(text, env);
  expect(config.api).toMatchObject({ host: "0.0.0.0", port: 99, publicUrl: "http://localhost:99" });
  expect(config.bus.kafka).toMatchObject({ ssl: true, clientId: "x" });
});

test("a secret's file is relative to the configuration and trimmed, and known as a secret", () => {
  writeFileSync(join(folder, "token"), "s3cret\n");
  const config = load(
    "collectors: { http: { sources: [{ name: a, token_file: token }] } }\nalerting: { channels: { w: { type: webhook, url: http://u, key: kk } } }\n",
  );
  expect(config.collectors.http.sources).toEqual([{ name: "a", token: "s3cret" }]);
  expect(secretsOf(config)).toEqual(["s3cret", "kk"]);
  expect(faultOf(() => load("bus: { kafka: { saslPassword_file: none } }\n"))).toMatch(
    /w\.yaml:1:36: bus\.kafka\.saslPassword_file names \S+\/none, which can't be read: there is no such file or folder; check the path$/,
  );
});

test("the command line goes over the file, keeps what it does not name, and its faults say so", () => {
  const config = load("api: { port: 1, host: h }\ndata: a\n", {}, { data: "b", api: { port: 0 } });
  expect(config).toMatchObject({ data: join(folder, "b"), api: { port: 0, host: "h" } });
  expect(faultOf(() => load("", {}, { api: { port: -1 } }))).toContain(
    "command line: api.port is -1, allowed is a whole number from 0 to 65535",
  );
});
