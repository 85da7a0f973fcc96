import { request } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ApiUnderTest, START_MS, startApi } from "./api-under-test.ts";
import { createToken } from "./auth/tokens.ts";
import {
  obeyCommands,
  putEvents,
  putIncidents,
  sampleEvent,
  sampleIncident,
} from "./test-incidents.ts";

let api: ApiUnderTest;
let token = "";

async function start(): Promise<void> {
  api = await startApi();
  token = (
    await createToken(api.store, {
      ...{ name: "test", role: "admin", nowMs: START_MS },
    })
  ).token;
  await putEvents(
    api.store,
    [1, 2, 3, 4, 5].map((number) => sampleEvent(number)),
  );
  await putIncidents(api.store, [
    sampleIncident(1),
    sampleIncident(2, { status: "acknowledged", severity: "low" }),
    sampleIncident(3, { replay: true, stream: "old.log" }),
  ]);
  await api.store.refresh();
}

const ids = (items: readonly { id?: string; event?: { id: string } }[]) =>
  items.map((item) => item.id ?? item.event?.id);

describe("reading", () => {
  beforeAll(start);
  afterAll(() => api.close());

  test.for([
    { name: "all, newest first", query: "", want: [5, 4, 3, 2, 1] },
    { name: "oldest first", query: "order=oldest", want: [1, 2, 3, 4, 5] },
    {
      name: "words and fields",
      query: `q=${encodeURIComponent('event.id:"event-2" AND password')}`,
      want: [2],
    },
    { name: "no match", query: "q=nothing", want: [] },
    { name: "from, inclusive", query: "from=2026-11-23T02:59:04Z", want: [5, 4] },
    { name: "to, inclusive, without a zone: UTC", query: "to=2026-11-23T02:59:02", want: [2, 1] },
    { name: "milliseconds", query: `from=${START_MS - 57_000}&to=${START_MS - 57_000}`, want: [3] },
  ])("events: $name", async ({ query, want }) => {
    const { status, body } = await api.call({ url: `/api/events?${query}`, token });
    expect({ status, ids: ids(body.items) }).toEqual({
      status: 200,
      ids: want.map((number) => `event-${number}`),
    });
  });

  test.for([
    {
      name: "a bad query names its column",
      url: "/api/events?q=(a",
      code: /^query\./,
      column: true,
    },
    {
      name: "a bad query of incidents too",
      url: "/api/incidents?q=(a",
      code: /^query\./,
      column: true,
    },
    {
      name: "unknown parameter",
      url: "/api/events?query=x",
      code: /^api\.bad-request$/,
      says: "query: query is not known",
    },
    {
      name: "limit above the most",
      url: "/api/events?limit=501",
      code: /^api\.bad-request$/,
      says: "query.limit must be <= 500",
    },
    {
      name: "limit is no number",
      url: "/api/events?limit=x",
      code: /^api\.bad-request$/,
      says: "query.limit must be integer",
    },
    {
      name: "a time that is none",
      url: "/api/events?from=2026-13-45",
      code: /^api\.bad-time$/,
      says: "2026-13-45",
    },
    {
      name: "a day that no calendar has",
      url: "/api/events?from=2026-02-30T00:00:00Z",
      code: /^api\.bad-time$/,
      says: "from: 2026-02-30T00:00:00Z is no time",
    },
    {
      name: "a time in words",
      url: "/api/events?from=yesterday",
      code: /^api\.bad-request$/,
      says: "query.from is not as it must be: no event before this time: ISO 8601",
    },
    {
      name: "a path that is no text",
      url: "/api/events/%ff",
      code: /^http\.bad-request$/,
    },
    {
      name: "a word that is none of the allowed",
      url: "/api/incidents?status=opened",
      code: /^api\.bad-request$/,
      says: "query.status must be one of open, acknowledged, closed",
    },
    { name: "a cursor of nobody", url: "/api/events?cursor=%00%01", code: /^store\.cursor$/ },
  ])("refused: $name", async ({ url, code, column, says = "" }) => {
    const { status, body } = await api.call({ url, token });
    expect(status).toBe(400);
    expect(body.error.code).toMatch(code);
    expect(body.error.message).toContain(says);
    expect(typeof body.error.column).toBe(column === true ? "number" : "undefined");
    expect(JSON.stringify(body)).not.toContain(".ts:");
  });

  test.for([
    { name: "all, the last changed first", query: "", want: [3, 2, 1] },
    { name: "by status", query: "status=open", want: [3, 1] },
    { name: "by severity", query: "severity=low", want: [2] },
    { name: "no imports", query: "replay=false", want: [2, 1] },
    { name: "imports only", query: "replay=true", want: [3] },
    { name: "by query", query: "q=group.source.ip:203.0.113.2", want: [2] },
    { name: "query and filter must both hold", query: "status=open&q=203.0.113.2", want: [] },
  ])("incidents: $name", async ({ query, want }) => {
    const { status, body } = await api.call({ url: `/api/incidents?${query}`, token });
    expect({ status, ids: ids(body.items ?? []), error: body.error }).toEqual({
      status: 200,
      ids: want.map((number) => `incident-${number}`),
      error: undefined,
    });
  });

  test("incidents page by cursor, each once, and the last page has none", async () => {
    const pages: (readonly (string | undefined)[])[] = [];
    let cursor: string | undefined;
    do {
      const more: string = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await api.call({ url: `/api/incidents?limit=2${more}`, token });
      pages.push(ids(body.items));
      cursor = body.cursor;
    } while (cursor !== undefined);
    expect(pages).toEqual([["incident-3", "incident-2"], ["incident-1"]]);
  });

  test("an incident comes with its evidence in order of time, and says what is missing", async () => {
    const { body } = await api.call({ url: "/api/incidents/incident-1", token });
    expect({ ...body, evidence: ids(body.evidence) }).toEqual({
      incident: sampleIncident(1),
      evidence: ["event-1", "event-2"],
      missing: ["event-gone"],
    });
  });

  test.for([
    { url: "/api/events/event-3", want: { status: 200, id: "event-3" } },
    { url: "/api/events/none", want: { status: 404, id: undefined } },
    { url: "/api/incidents/none", want: { status: 404, id: undefined } },
    { url: "/api/findings/none", want: { status: 404, id: undefined } },
    {
      url: "/api/none",
      want: { status: 404, id: undefined },
      says: "there is no such route; GET /api/openapi.json lists them",
    },
  ])("one of them: $url", async ({ url, want, says }) => {
    const { status, body } = await api.call({ url, token });
    expect({ status, id: body.event?.id }).toEqual(want);
    expect(body.error?.code).toBe(status === 404 ? "api.not-found" : undefined);
    if (says !== undefined) expect(body.error.message).toBe(says);
  });

  test("findings: the latest event first", async () => {
    const [finding] = sampleIncident(1).findings;
    const body = { ...finding };
    await api.store.putDocuments("findings", [{ id: "finding-1", revision: 1, body }]);
    await api.store.refresh();
    const list = await api.call({ url: "/api/findings", token });
    const one = await api.call({ url: "/api/findings/finding-1", token });
    expect([list.body, one.body]).toEqual([{ items: [finding] }, finding]);
  });

  test.for([
    { query: "", want: ["joined", "early by joined", "late by joined", "covered, withdrawn"] },
    { query: "&superseded=false", want: ["joined"] },
    { query: "&superseded=true", want: ["early by joined", "late by joined"] },
  ])("findings: what a later one took in names that one: $query", async ({ query, want }) => {
    const finding = (id: string, more: object) => ({
      ...{ id, revision: 1 },
      body: { ...sampleIncident(1).findings[0], id, stream: "joins", ...more },
    });
    await api.store.putDocuments("findings", [
      finding("joined", { lastMs: 30, supersedes: ["early", "late"] }),
      finding("early", { lastMs: 20 }),
      finding("late", { lastMs: 10 }),
      finding("covered", { lastMs: 5, withdrawn: true }),
    ]);
    await api.store.refresh();
    type Said = { id: string; supersededBy?: string; withdrawn?: true };
    const words = ({ id, supersededBy: by, withdrawn }: Said) =>
      `${id}${by === undefined ? "" : ` by ${by}`}${withdrawn ? ", withdrawn" : ""}`;
    const list = await api.call({ url: `/api/findings?q=stream:joins${query}`, token });
    expect(list.body.items.map(words)).toEqual(want);
    const one = await api.call({ url: "/api/findings/late", token });
    expect(words(one.body)).toBe("late by joined");
  });

  test("rules: from the status board where the correlator runs here", async () => {
    const rules = [{ id: "r", title: "R", level: "low", tags: [] }];
    api.status.set("rules", { ok: true, text: "1 rule", data: { rules } });
    expect((await api.call({ url: "/api/rules", token })).body).toEqual({ items: rules });
  });

  test("status: says how the parts are, and keeps the way in to itself", async () => {
    api.status.set("detect", { ok: false, text: "stuck" });
    const { body } = await api.call({ url: "/api/status", token });
    expect(body).toMatchObject({ ok: false, parts: { detect: { ok: false, text: "stuck" } } });
    expect(JSON.stringify(body)).not.toContain(api.setupToken());
    expect(body.senders.syslog).toEqual({ host: "127.0.0.1", udpPort: 5514 });
  });

  test("openapi: 3.1, every route with an answer, the open ones marked", async () => {
    const { body } = await api.call({ url: "/api/openapi.json", token });
    expect(body.openapi).toBe("3.1.0");
    const operations = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods as object).map(([method, operation]) => ({ path, method, operation })),
    );
    expect(operations.map(({ path, method }) => `${method} ${path}`).sort()).toEqual(ROUTES);
    for (const { path, method, operation } of operations) {
      expect(operation.summary, `${method} ${path}`).toBeTypeOf("string");
      const answers = Object.keys(operation.responses);
      expect(
        answers.some((status) => status.startsWith("2")),
        `${method} ${path}`,
      ).toBe(true);
      const named = (operation.parameters ?? [])
        .filter((parameter: { in: string }) => parameter.in === "path")
        .map((parameter: { name: string }) => parameter.name);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(named, path).toEqual(inPath);
    }
    const open = operations.filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ path, method }) => `${method} ${path}`).sort()).toEqual([
      "get /api/setup",
      "post /api/session",
      "post /api/setup",
    ]);
  });
});

describe("changing", () => {
  beforeEach(start);
  afterEach(() => api.close());

  test.for([
    {
      verb: "acknowledge",
      body: {},
      want: { status: "acknowledged", kind: "acknowledged", text: "Acknowledged" },
    },
    {
      verb: "assign",
      body: { to: "grace" },
      want: { status: "open", kind: "assigned", text: "grace" },
    },
    {
      verb: "comment",
      body: { text: "a\nb" },
      want: { status: "open", kind: "commented", text: "a\nb" },
    },
    {
      verb: "close",
      body: { reason: "a drill" },
      want: { status: "closed", kind: "closed", text: "a drill" },
    },
  ])(
    "commands: $verb goes over the bus, and the answer shows its effect",
    async ({ verb, body, want }) => {
      const stage = await obeyCommands(api.bus, api.store);
      const url = `/api/incidents/incident-1/${verb}`;
      const answer = await api.call({ method: "POST", url, body, token });
      await stage.close();
      const last = answer.body.timeline?.at(-1);
      expect({ status: answer.body.status, kind: last?.kind, text: last?.text }).toEqual(want);
      expect(stage.seen).toEqual([
        {
          kind: "command",
          id: last.ref,
          incident: "incident-1",
          key: "key-1",
          by: "token test",
          atMs: START_MS,
          action: { do: verb, ...body },
        },
      ]);
    },
  );

  test.for([
    { verb: "comment", body: {} },
    { verb: "comment", body: { text: "" } },
    { verb: "comment", body: { text: "x".repeat(4001) } },
    { verb: "comment", body: { text: " \n" } },
    { verb: "assign", body: { to: 5 } },
    { verb: "assign", body: { to: "   " } },
    { verb: "close", body: { reason: "\u3000" } },
    { verb: "close", body: { reason: "a", more: 1 } },
    { verb: "acknowledge", body: { by: "someone else" } },
  ])("commands: $verb refuses $body", async ({ verb, body }) => {
    const url = `/api/incidents/incident-1/${verb}`;
    const answer = await api.call({ method: "POST", url, body, token });
    expect([answer.status, answer.body.error.code]).toEqual([400, "api.bad-request"]);
  });

  test.for([
    { verb: "comment", name: "text" },
    { verb: "assign", name: "to" },
    { verb: "close", name: "reason" },
  ])("commands: $verb says that a blank $name is none", async ({ verb, name }) => {
    const url = `/api/incidents/incident-1/${verb}`;
    const { body } = await api.call({ method: "POST", url, body: { [name]: " " }, token });
    expect(body.error.message).toBe(`body.${name} is not as it must be: text that is not blank`);
  });

  test("commands: a body that is no JSON is told what to send", async () => {
    const url = "/api/incidents/incident-1/comment";
    const headers = { "content-type": "text/xml" };
    const { status, body } = await api.call({ method: "POST", url, body: "<a/>", token, headers });
    expect({ status, ...body.error }).toEqual({
      status: 415,
      code: "api.bad-request",
      message: "the request's body is text/xml; send JSON, with content-type: application/json",
    });
  });

  test("commands: the same request under the same key is done once; another request under it is another", async () => {
    const stage = await obeyCommands(api.bus, api.store);
    const send = async (text: string) => {
      const { body } = await api.call({
        method: "POST",
        url: "/api/incidents/incident-1/comment",
        body: { text },
        token,
        headers: { "idempotency-key": "k1" },
      });
      return body.timeline.length;
    };
    expect([await send("one"), await send("one"), await send("two")]).toEqual([2, 2, 3]);
    await stage.close();
  });

  test("commands: without an effect in time the answer is 202, and the command is on the bus", async () => {
    const url = "/api/incidents/incident-1/acknowledge";
    const { status, body } = await api.call({ method: "POST", url, body: {}, token });
    expect({ status, body }).toEqual({
      status: 202,
      body: { accepted: true, command: expect.any(String) },
    });
    const stage = await obeyCommands(api.bus, api.store);
    await expect.poll(() => stage.seen.map((command) => command.id)).toEqual([body.command]);
    await stage.close();
  });

  test("live: a listener is told of what changed after it came, not of what was there", async () => {
    await api.http.listen();
    await api.http.open();
    const text: string[] = [];
    const listening = request(`${api.http.address()}/api/live`, {
      headers: { authorization: `Bearer ${token}` },
    });
    listening.on("response", (response) => {
      response.setEncoding("utf8").on("data", (chunk: string) => text.push(chunk));
    });
    listening.end();
    await expect.poll(() => text.join("")).toContain("event: hello");
    await putIncidents(api.store, [sampleIncident(1, { revision: 2, updatedMs: START_MS + 99 })]);
    await api.store.refresh();
    await expect
      .poll(() => {
        api.advance(1000);
        return text.join("");
      })
      .toContain("event: incident");
    const told = text.join("").match(/^data: \{".+$/gm) ?? [];
    const ids = told
      .map((line) => JSON.parse(line.slice(6)))
      .map(({ id, revision }) => [id, revision]);
    expect(ids).toEqual([["incident-1", 2]]);
    const ended = new Promise((done) => listening.on("close", done));
    api.hangUp();
    await ended;
  });
});

const ROUTES = [
  "delete /api/session",
  "delete /api/tokens/{id}",
  "get /api/dead-letters",
  "get /api/events",
  "get /api/events/{id}",
  "get /api/findings",
  "get /api/findings/{id}",
  "get /api/incidents",
  "get /api/incidents/{id}",
  "get /api/live",
  "get /api/rules",
  "get /api/session",
  "get /api/setup",
  "get /api/status",
  "get /api/tokens",
  "post /api/dead-letters/replay",
  "post /api/incidents/{id}/acknowledge",
  "post /api/incidents/{id}/assign",
  "post /api/incidents/{id}/close",
  "post /api/incidents/{id}/comment",
  "post /api/session",
  "post /api/setup",
  "post /api/tokens",
];
