// parsers.test.ts — lines as real programs write them, and bytes as nobody should.
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fieldOf } from "../../core/event.ts";
import { isBlank } from "../stamp.ts";
import type { Draft } from "./draft.ts";
import { parseLine } from "./parsers.ts";

const context = { zone: "UTC", latestMs: Date.UTC(2026, 0, 16) };
const parse = (line: string): Draft => {
  const draft = parseLine(line, context);
  if ("refused" in draft) throw new Error(draft.refused.reason);
  return draft;
};
/** The draft as the event will show it, by the fields that a row names. */
function fieldsOf(draft: Draft, names: readonly string[]): Record<string, unknown> {
  const document = { ...draft.fields, event: draft.event, message: draft.message };
  return Object.fromEntries(names.map((name) => [name, fieldOf(document, name)]));
}

const HEAD = "Jan 15 11:59:00 web sshd[42]: ";
test.for([
  {
    name: "a failed password",
    line: `${HEAD}Failed password for root from 203.0.113.7 port 38926 ssh2`,
    want: {
      "event.action": "ssh_login",
      "event.outcome": "failure",
      "event.category": ["authentication"],
      "source.ip": "203.0.113.7",
      "source.port": 38926,
      "user.name": "root",
      "host.name": "web",
      "process.name": "sshd",
      "process.pid": 42,
      "related.ip": ["203.0.113.7"],
      message: "Failed password for root from 203.0.113.7 port 38926 ssh2",
    },
  },
  {
    name: "an invalid user whose name pretends to be an address",
    line: `${HEAD}Failed password for invalid user a from 192.0.2.1 port 1 ssh2 from 203.0.113.7 port 2 ssh2`,
    want: {
      "event.action": "ssh_login",
      "source.ip": "203.0.113.7",
      "user.name": "a from 192.0.2.1 port 1 ssh2",
    },
  },
  {
    name: "an invalid user without a name",
    line: `${HEAD}Failed none for invalid user  from 203.0.113.7 port 2 ssh2`,
    want: { "event.action": "ssh_login", "event.outcome": "failure", "user.name": undefined },
  },
  {
    name: "a key with its fingerprint, over IPv6",
    line: `${HEAD}Accepted publickey for bob from 2001:db8::1 port 22 ssh2: ED25519 SHA256:abc`,
    want: {
      "event.action": "ssh_login",
      "event.outcome": "success",
      "source.ip": "2001:db8::1",
      "user.name": "bob",
      "ssh.method": "publickey",
    },
  },
  {
    name: "the other lines of one failure: invalid user",
    line: `${HEAD}Invalid user admin from 203.0.113.7 port 22`,
    want: {
      "event.action": "ssh_invalid_user",
      "event.outcome": undefined,
      "source.ip": "203.0.113.7",
      "user.name": "admin",
    },
  },
  {
    name: "the other lines of one failure: PAM",
    line: `${HEAD}pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7  user=root`,
    want: {
      "event.action": "pam_authentication_failure",
      "event.outcome": undefined,
      "source.ip": "203.0.113.7",
      "user.name": "root",
    },
  },
  {
    name: "the other lines of one failure: PAM's sum",
    line: `${HEAD}PAM 5 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7  user=root`,
    want: { "event.action": "pam_authentication_failure", "event.outcome": undefined },
  },
  {
    name: "old PAM, where it is the only line of a failure; a name instead of an address",
    line: "Jan 15 11:59:00 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=host.example.net  user=root",
    want: {
      "event.action": "ssh_login",
      "event.outcome": "failure",
      "source.ip": undefined,
      "source.domain": "host.example.net",
      "source.address": "host.example.net",
      "process.name": "sshd",
    },
  },
  {
    name: "a session",
    line: `${HEAD}pam_unix(sshd:session): session opened for user bob(uid=1000) by (uid=0)`,
    want: { "event.action": "session_opened", "user.name": "bob", "event.outcome": "success" },
  },
  {
    name: "a disconnect",
    line: `${HEAD}Received disconnect from 203.0.113.7: 11: Bye Bye [preauth]`,
    want: { "event.action": "ssh_disconnect", "source.ip": "203.0.113.7" },
  },
  {
    name: "a disconnect of the newer kind",
    line: `${HEAD}Connection closed by authenticating user root 203.0.113.7 port 22 [preauth]`,
    want: { "event.action": "ssh_disconnect", "source.ip": "203.0.113.7", "source.port": 22 },
  },
  {
    name: "no identification",
    line: `${HEAD}Did not receive identification string from 203.0.113.7`,
    want: { "event.action": "ssh_probe", "source.ip": "203.0.113.7" },
  },
  {
    name: "sudo",
    line: "Jan 15 11:59:00 web sudo:    bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/sh -c a ; b",
    want: {
      "event.action": "sudo_command",
      "event.outcome": "success",
      "user.name": "bob",
      "user.effective.name": "root",
      "process.command_line": "/bin/sh -c a ; b",
      "process.executable": "/bin/sh",
      "process.name": "sudo",
      "process.working_directory": "/home/bob",
    },
  },
  {
    name: "sudo with wrong passwords",
    line: "Jan 15 11:59:00 web sudo[7]: bob : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
    want: {
      "event.action": "sudo_denied",
      "event.outcome": "failure",
      "event.reason": "3 incorrect password attempts",
      "user.name": "bob",
    },
  },
  {
    name: "sudo of a stranger",
    line: "Jan 15 11:59:00 web sudo: eve : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
    want: { "event.action": "sudo_denied", "event.reason": "user NOT in sudoers" },
  },
  {
    name: "su",
    line: "Jan 15 11:59:00 web su[3]: FAILED su for root by eve",
    want: { "event.action": "su_login", "event.outcome": "failure", "user.name": "eve" },
  },
  {
    name: "an access log, combined",
    line: '203.0.113.7 - bob [15/Jan/2026:12:59:00 +0100] "GET /a/b.php?x=1&y=%2e HTTP/1.1" 404 12 "https://example.org/" "curl/8 \\"x\\""',
    want: {
      "event.action": "web_request",
      "event.outcome": "failure",
      "source.ip": "203.0.113.7",
      "user.name": "bob",
      "url.path": "/a/b.php",
      "url.query": "x=1&y=%2e",
      "url.extension": "php",
      "http.request.method": "GET",
      "http.request.referrer": "https://example.org/",
      "http.response.status_code": 404,
      "http.response.body.bytes": 12,
      "http.version": "1.1",
      "user_agent.original": 'curl/8 \\"x\\"',
    },
  },
  {
    name: "an access log of garbage, common",
    line: '203.0.113.7 - - [15/Jan/2026:11:59:00 +0000] "\\x16\\x03\\x01" 400 -',
    want: { "url.original": "\\x16\\x03\\x01", "http.response.status_code": 400 },
  },
  {
    name: "an access log by syslog",
    line: '<190>Jan 15 11:59:00 web nginx: 203.0.113.7 - - [15/Jan/2026:11:59:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"',
    want: {
      "source.ip": "203.0.113.7",
      "host.name": "web",
      "http.response.status_code": 200,
      "event.module": "nginx",
      "log.syslog.priority": 190,
      "related.hosts": ["web"],
      "related.ip": ["203.0.113.7"],
    },
  },
  {
    name: "Apache's error log",
    line: "[Thu Jan 15 11:59:00.123456 2026] [core:error] [pid 35708:tid 4328636416] [client 203.0.113.7:99] AH00124: too many redirects",
    want: {
      message: "AH00124: too many redirects",
      "log.level": "error",
      "event.type": ["error"],
      "source.ip": "203.0.113.7",
      "source.port": 99,
      "process.pid": 35708,
      "event.module": "apache",
    },
  },
  {
    name: "a notice in Apache's error log",
    line: "[Thu Jan 15 11:59:00 2026] [notice] workerEnv.init() ok /etc/httpd/conf/workers2.properties",
    want: {
      message: "workerEnv.init() ok /etc/httpd/conf/workers2.properties",
      "log.level": "notice",
      "event.type": ["info"],
      "event.module": "apache",
    },
  },
  {
    name: "nginx's error log",
    line: '2026/01/15 11:59:00 [error] 31#31: *5 open() "/x" failed (2: No such file), client: 203.0.113.7, server: _, request: "GET /x?y HTTP/1.1", host: "h"',
    want: {
      "source.ip": "203.0.113.7",
      "url.path": "/x",
      "http.request.method": "GET",
      "log.level": "error",
      "event.module": "nginx",
    },
  },
  {
    name: "RFC 5424 with structured data and a BOM",
    line: '<165>1 2026-01-15T11:59:00.003Z mail evt 7 ID47 [x@1 a="1" b="q\\"\\]\\\\"][y@1] \ufeffhello',
    want: {
      message: "hello",
      "host.name": "mail",
      "process.name": "evt",
      "process.pid": 7,
      "log.syslog.msgid": "ID47",
      "log.syslog.structured_data": { "x@1": { a: "1", b: 'q"]\\' }, "y@1": {} },
      "log.syslog.facility.code": 20,
      "log.syslog.severity.name": "notice",
    },
  },
  {
    name: "RFC 5424 of nothing",
    line: "<34>1 - - - - - -",
    want: { message: "", "host.name": undefined },
  },
  {
    name: "RFC 3164 without a host",
    line: "<13>Jan 15 11:59:00 app: hello",
    want: { message: "hello", "host.name": undefined, "process.name": "app" },
  },
  {
    name: "a priority and nothing else",
    line: "<13>hello there",
    want: { message: "hello there", "log.syslog.priority": 13 },
  },
  { name: "no priority: too high", line: "<192>hello", want: { message: "<192>hello" } },
  {
    name: "rsyslog's own form",
    line: "2026-01-15T12:59:00.5+01:00 web sshd[42]: Invalid user x from 203.0.113.7",
    want: { "event.action": "ssh_invalid_user", "host.name": "web" },
  },
  {
    name: "a line that only begins with a time",
    line: "2026-01-15 11:59:00 INFO it works",
    want: { message: "2026-01-15 11:59:00 INFO it works", "host.name": undefined },
  },
  {
    name: "JSON, ECS",
    line: '{"@timestamp":"2026-01-15T11:59:00Z","message":"m","event":{"id":"7","action":"a"},"host":{"name":"h"},"wache":{"late":true},"wache.stream":"x"}',
    want: {
      message: "m",
      "event.action": "a",
      "event.client_id": "7",
      "event.id": undefined,
      "host.name": "h",
      wache: undefined,
      "wache.stream": undefined,
    },
  },
  {
    name: "JSON, flat, with plain values where ECS has objects",
    line: '{"timestamp":1768478340,"host":"h","user":"u","User":"U","event":"login","event.id":"8","message":{"a":1}}',
    want: {
      message: '{"a":1}',
      "event.value": "login",
      "event.client_id": "8",
      "event.id": undefined,
      "host.name": "h",
      "user.name": "u",
      User: "U",
    },
  },
  { name: "JSON that is no object", line: "[1,2]", want: { message: "[1,2]" } },
  { name: "JSON that is cut off", line: '{"a":', want: { message: '{"a":' } },
])("$name", ({ line, want }) => {
  expect(fieldsOf(parse(line), Object.keys(want))).toEqual(want);
});

test.for([
  {
    line: `${HEAD}x`,
    want: [
      { product: "linux", service: "sshd" },
      { product: "linux", service: "auth" },
    ],
  },
  {
    line: "Jan 15 11:59:00 web sudo: x",
    want: [
      { product: "linux", service: "sudo" },
      { product: "linux", service: "auth" },
    ],
  },
  {
    line: "Jan 15 11:59:00 web cron[1]: x",
    want: [
      { product: "linux", service: "cron" },
      { product: "linux", service: "syslog" },
    ],
  },
  { line: "Jan 15 11:59:00 web app: x", want: [{ product: "linux", service: "syslog" }] },
  {
    line: '1.2.3.4 - - [15/Jan/2026:11:59:00 +0000] "GET / HTTP/1.1" 200 5',
    want: [{ category: "webserver" }],
  },
  {
    line: '<13>Jan 15 11:59:00 w httpd: 1.2.3.4 - - [15/Jan/2026:11:59:00 +0000] "GET / HTTP/1.1" 200 5',
    want: [{ category: "webserver", product: "apache" }, { category: "webserver" }],
  },
  {
    line: "[Thu Jan 15 11:59:00 2026] [notice] x",
    want: [{ product: "apache", service: "error" }],
  },
  {
    line: '{"product":"windows","service":"security"}',
    want: [{ product: "windows", service: "security" }],
  },
  {
    line: '{"log_source":{"product":"aws","service":"cloudtrail","x":1}}',
    want: [{ product: "aws", service: "cloudtrail" }],
  },
  { line: '{"product":7}', want: [] },
  { line: "anything", want: [] },
])("log sources: $line", ({ line, want }) => {
  expect(parse(line).sources).toEqual(want);
});

test.for([
  {
    line: `${HEAD}message repeated 5 times: [ Failed password for root from 1.2.3.4 port 1 ssh2]`,
    want: 5,
    message: "Failed password for root from 1.2.3.4 port 1 ssh2",
  },
  { line: `${HEAD}message repeated 0 times: [ x]`, want: 1, message: "x" },
  { line: `${HEAD}message repeated 999999999 times: [ x]`, want: 1000, message: "x" },
  {
    line: `${HEAD}message repeated 5 times: [ x`,
    want: 1,
    message: "message repeated 5 times: [ x",
  },
  {
    line: "Jan 15 11:59:00 c sshd(pam_unix)[1]: 2 more authentication failures; rhost=1.2.3.4",
    want: 2,
    message: "2 more authentication failures; rhost=1.2.3.4",
  },
])("a line that stands for $want: $line", ({ line, want, message }) => {
  const draft = parse(line);
  expect([draft.repeat, draft.message]).toEqual([want, message]);
});

test("nesting is bounded, prototype names are harmless", () => {
  const nested = (levels: number): string => `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
  expect(parseLine(nested(63), context)).not.toHaveProperty("refused");
  expect(parseLine(nested(64), context)).toMatchObject({ refused: { code: "json.too-deep" } });
  expect(parseLine(nested(100_000), context)).toBeDefined();
  const draft = parse(
    '{"__proto__":{"polluted":1},"constructor":"c","host":{"__proto__":{"name":"x"}}}',
  );
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(Object.keys(draft.fields)).toEqual(["__proto__", "constructor", "host"]);
});

const hostile = [
  `${HEAD}Failed password for ${" from ".repeat(20_000)}`,
  `${HEAD}${"user ".repeat(20_000)}`,
  `<34>1 - - - - - [a ${'b="\\'.repeat(20_000)}`,
  `${"1.2.3.4 - ".repeat(10_000)}[`,
  `1.2.3.4 - - [15/Jan/2026:11:59:00 +0000] "${'\\"'.repeat(50_000)}`,
  `Jan 15 11:59:00 web sudo: bob : ${"A=B ; ".repeat(20_000)}`,
  `[Thu Jan 15 11:59:00 2026] [${"a".repeat(100_000)}`,
  `2026/01/15 11:59:00 [error] 1#1: ${', client: "x", request: "GET '.repeat(5_000)}`,
];
test("hostile lines cost no more than their length", () => {
  const start = process.cpuUsage();
  for (const line of hostile) for (let again = 0; again < 5; again++) parse(line);
  const { user } = process.cpuUsage(start);
  expect(user / 1000).toBeLessThan(2_000); // milliseconds of work; backtracking would take hours
});

const word = fc.constantFrom(
  ...'Jan 15 11:59:00 <13> 1 sshd[1]: Failed password for from port { } [ ] " \\ = : - pam_unix(x:y): message repeated 3 times: [ 2026-01-15T11:59:00Z __proto__ \u0000 \ufeff é \ud800'.split(
    " ",
  ),
);
test("any bytes give an event or a refusal", () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(word, { maxLength: 40 }).map((words) => words.join(" ")),
    fc.json({ maxDepth: 5 }),
    fc
      .json()
      .map((text) => `{"@timestamp":${text},"event":${text},"message":${text},"host":${text}}`),
  );
  fc.assert(
    fc.property(anything, (line) => {
      if (isBlank(line)) return;
      const draft = parseLine(line, context);
      if ("refused" in draft) expect(draft.refused.reason).not.toBe("");
      else JSON.parse(JSON.stringify(draft));
    }),
    { numRuns: 2_000 },
  );
});

const LOGS = "../shared/data/logs";
test.skipIf(!existsSync(LOGS))(
  "real logs: every line is an event, every failure is counted once",
  () => {
    const logs = Object.fromEntries(
      ["OpenSSH", "Linux", "Apache"].map((name) => {
        const lines = readFileSync(`${LOGS}/${name}_2k.log`, "utf8").split("\r\n").filter(Boolean);
        const drafts = lines.map(parse);
        const failures = drafts.filter(
          ({ event }) => event.action === "ssh_login" && event.outcome === "failure",
        );
        const count = (some: readonly Draft[]): number =>
          some.reduce((sum, one) => sum + one.repeat, 0);
        return [
          name,
          {
            lines: lines.length,
            events: count(drafts),
            failures: count(failures),
            timeless: drafts.filter((draft) => draft.timeMs === undefined).length,
          },
        ];
      }),
    );
    // `grep -c 'Failed password\|Failed none'` counts 524 lines; two of them stand for five each.
    expect(logs).toEqual({
      OpenSSH: { lines: 2000, events: 2008, failures: 532, timeless: 0 },
      Linux: { lines: 2000, events: 2000, failures: 489, timeless: 0 },
      Apache: { lines: 2000, events: 2000, failures: 0, timeless: 0 },
    });
  },
);
