import { existsSync } from "node:fs";
import { request } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  ADMIN,
  type ApiUnderTest,
  type Call,
  cookieOf,
  START_MS,
  startApi,
} from "../api-under-test.ts";
import { putIncidents, sampleIncident } from "../test-incidents.ts";
import { purgeSessions } from "./sessions.ts";
import { createToken, listTokens, revokeToken } from "./tokens.ts";

let api: ApiUnderTest;
const start = async () => {
  api = await startApi();
};

/** Every route under /api, from the running server itself: a new one can't be forgotten here. */
async function routes(): Promise<{ method: Call["method"]; url: string; isOpen: boolean }[]> {
  const { token } = await createToken(api.store, { name: "all", role: "admin", nowMs: START_MS });
  const { body } = await api.call({ url: "/api/openapi.json", token });
  const listed = Object.entries<Record<string, { security?: unknown[] }>>(body.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => ({
        method: method.toUpperCase() as Call["method"],
        url: path.replaceAll(/\{\w+\}/g, "x"),
        isOpen: security?.length === 0,
      })),
  );
  return [...listed, { method: "GET", url: "/api/openapi.json", isOpen: false }];
}

describe("doors", () => {
  beforeAll(start);
  afterAll(() => api.close());

  test("the description knows every route that the server has", async () => {
    const known = (await routes()).map(({ method, url }) => `${method} ${url}`).sort();
    const lines = api.http.app.printRoutes({ commonPrefix: false }).split("\n");
    const served: string[] = [];
    const path: string[] = [];
    for (const line of lines) {
      const [, indent = "", part = "", methods = ""] =
        /^([│ ]*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
      const depth = indent.length / 4;
      path.splice(depth, path.length, part);
      const url = path.join("").replaceAll(/:\w+/g, "x");
      for (const method of methods.split(", "))
        if (method !== "" && method !== "HEAD" && url.startsWith("/api/"))
          served.push(`${method} ${url}`);
    }
    expect(served.sort()).toEqual(known);
  });

  test.for([
    { name: "nothing", call: {} },
    { name: "an empty cookie", call: { cookie: "wache_session=" } },
    { name: "a made-up cookie", call: { cookie: `wache_session=${"A".repeat(43)}` } },
    { name: "a made-up token", call: { token: `wache_0123456789abcdef_${"A".repeat(43)}` } },
    { name: "no token of ours", call: { token: "Bearer" } },
    { name: "basic credentials", call: { headers: { authorization: "Basic YTpi" } } },
  ])("every closed route refuses $name", async ({ call }) => {
    const answers: unknown[] = [];
    const closed = (await routes()).filter(({ isOpen }) => !isOpen);
    for (const { method, url } of closed) {
      const { status, body } = await api.call({ ...call, ...(method ? { method } : {}), url });
      answers.push([method, url, status, body.error.code]);
    }
    expect(closed.length).toBeGreaterThan(15);
    expect(answers).toEqual(closed.map(({ method, url }) => [method, url, 401, "auth.required"]));
  });

  test("a path that is none is closed as well, so that nobody learns the paths", async () => {
    expect((await api.call({ url: "/api/secret" })).status).toBe(401);
  });

  test.for([
    { role: "reader", want: { read: 200, work: 403, administer: 403 } },
    { role: "analyst", want: { read: 200, work: 202, administer: 403 } },
    { role: "admin", want: { read: 200, work: 202, administer: 200 } },
  ] as const)("the role $role", async ({ role, want }) => {
    await putIncidents(api.store, [sampleIncident(1)]);
    const { token } = await createToken(api.store, { name: "t", role, nowMs: START_MS });
    const url = "/api/incidents/incident-1/acknowledge";
    const got = {
      read: (await api.call({ url: "/api/incidents", token })).status,
      work: (await api.call({ method: "POST", url, body: {}, token })).status,
      administer: (await api.call({ url: "/api/tokens", token })).status,
    };
    expect(got).toEqual(want);
  });

  test("every answer tells the browser what to refuse", async () => {
    for (const url of ["/", "/api/session", "/api/setup", "/setup"]) {
      const { headers } = (await api.call({ url })).raw;
      expect(headers["content-security-policy"], url).toContain("frame-ancestors 'none'");
      expect(headers["content-security-policy"], url).not.toContain("unsafe");
      expect(headers["x-content-type-options"], url).toBe("nosniff");
      expect(headers["referrer-policy"], url).toBe("no-referrer");
    }
  });
});

describe("behind a proxy, health and metrics closed", () => {
  let closed: ApiUnderTest;
  let cookie = "";
  beforeAll(async () => {
    closed = await startApi({
      publicUrl: "https://wache.example",
      openHealth: false,
      openMetrics: false,
    });
    await putIncidents(closed.store, [sampleIncident(1)]);
    cookie = await closed.signUp();
  });
  afterAll(() => closed.close());

  test("the cookie is for this host and https only", () => {
    expect(cookie).toMatch(/^__Host-wache_session=/);
  });

  test.for([
    { name: "our own page", headers: { origin: "http://wache.test" }, want: 202 },
    { name: "another site", headers: { origin: "http://evil.test" }, want: 403 },
    { name: "another port", headers: { origin: "http://wache.test:81" }, want: 403 },
    { name: "a page without an origin", headers: { origin: "null" }, want: 403 },
    { name: "the public address", headers: { origin: "https://wache.example" }, want: 202 },
  ])("a change by cookie from $name", async ({ headers, want }) => {
    const url = "/api/incidents/incident-1/acknowledge";
    const { status } = await closed.call({ method: "POST", url, body: {}, cookie, headers });
    expect(status).toBe(want);
  });

  test.for([
    { name: "nothing", patch: {}, want: [401, 401, 401] },
    { name: "a made-up token", patch: { token: "wache_x" }, want: [401, 401, 401] },
    { name: "a token", patch: { token: "good" }, want: [200, 200, 200] },
  ])("health and metrics that are closed, asked for with $name", async ({ patch, want }) => {
    const { token } = await createToken(closed.store, {
      name: "prometheus",
      role: "reader",
      nowMs: START_MS,
    });
    const credentials = patch.token === "good" ? { token } : patch;
    const statuses: number[] = [];
    for (const url of ["/healthz", "/readyz", "/metrics"])
      statuses.push((await closed.call({ url, ...credentials })).status);
    expect(statuses).toEqual(want);
  });
});

describe("accounts", () => {
  beforeEach(start);
  afterEach(() => api.close());

  test("setup: the link makes one admin, signs in, and works once", async () => {
    const body = { token: api.setupToken(), ...ADMIN };
    expect((await api.call({ url: "/api/setup" })).body).toEqual({ needed: true });
    const made = await api.call({ method: "POST", url: "/api/setup", body });
    expect([made.status, made.body]).toEqual([201, { name: "ada", role: "admin", by: "session" }]);
    expect(String(made.raw.headers["set-cookie"])).toMatch(
      /^wache_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const again = await api.call({ method: "POST", url: "/api/setup", body });
    expect([again.status, again.body.error.code]).toEqual([409, "setup.done"]);
    expect((await api.call({ url: "/api/setup" })).body).toEqual({ needed: false });
    expect(api.setupToken()).toBe("");
    const session = await api.call({ url: "/api/session", cookie: cookieOf(made) });
    expect(session.body).toEqual({ name: "ada", role: "admin", by: "session" });
  });

  test("setup: of two at once one is made", async () => {
    const body = { token: api.setupToken(), password: ADMIN.password };
    const answers = await Promise.all(
      ["ada", "eve"].map((name) =>
        api.call({ method: "POST", url: "/api/setup", body: { ...body, name } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  test.for([
    { name: "another token", patch: { token: "A".repeat(43) }, want: [403, "setup.bad-token"] },
    {
      name: "a short password",
      patch: { password: "elevenchars" },
      want: [400, "api.bad-request"],
    },
    { name: "a name with a space", patch: { name: "a b" }, want: [400, "api.bad-request"] },
    {
      name: "a role of one's own choice",
      patch: { role: "admin" },
      want: [400, "api.bad-request"],
    },
  ])("setup: refuses $name", async ({ patch, want }) => {
    const body = { token: api.setupToken(), ...ADMIN, ...patch };
    const answer = await api.call({ method: "POST", url: "/api/setup", body });
    expect([answer.status, answer.body.error.code]).toEqual(want);
  });

  test("setup: a new start makes a new link while nobody can sign in, and none after", async () => {
    const old = api.setupToken();
    const second = await api.again();
    const body = { token: old, ...ADMIN };
    expect((await second.call({ method: "POST", url: "/api/setup", body })).status).toBe(403);
    expect(second.setupToken()).not.toBe(old);
    await second.signUp();
    const third = await api.again();
    expect(third.status.all().setup).toBeUndefined();
    await second.close();
    await third.close();
  });

  test("sign-in, sign-out, and the end of a session", async () => {
    await api.signUp();
    const signIn = () => api.call({ method: "POST", url: "/api/session", body: ADMIN });
    const who = async (cookie: string) => (await api.call({ url: "/api/session", cookie })).status;
    const [one, two] = [cookieOf(await signIn()), cookieOf(await signIn())];
    expect([await who(one), await who(two)]).toEqual([200, 200]);
    const out = await api.call({ method: "DELETE", url: "/api/session", cookie: one });
    expect(out.status).toBe(204);
    expect([await who(one), await who(two)]).toEqual([401, 200]);
    api.advance(12 * 3600_000 - 1);
    expect(await who(two)).toBe(200);
    api.advance(1);
    expect(await who(two)).toBe(401);
    await api.store.refresh();
    expect(await purgeSessions(api.store, api.now())).toBe(1); // the setup's; the other two are gone
    expect(await purgeSessions(api.store, api.now())).toBe(0);
  });

  test.for([
    { name: "a wrong password", body: { ...ADMIN, password: "another long password" } },
    { name: "an unknown name", body: { ...ADMIN, name: "eve" } },
    { name: "an empty password", body: { ...ADMIN, password: "" } },
  ])("sign-in refuses $name in the same words", async ({ body }) => {
    await api.signUp();
    const answer = await api.call({ method: "POST", url: "/api/session", body });
    expect([answer.status, answer.body]).toEqual([
      401,
      {
        error: {
          code: "auth.wrong-password",
          message: "this name and password do not belong together",
        },
      },
    ]);
  });

  test("a sign-in that another site sends is refused", async () => {
    await api.signUp();
    const headers = { origin: "http://evil.test" };
    const answer = await api.call({ method: "POST", url: "/api/session", body: ADMIN, headers });
    expect([answer.status, answer.body.error.code]).toEqual([403, "auth.wrong-origin"]);
  });

  test.for([
    { name: "the last time there is", expiresMs: 8_640_000_000_000_000, want: 201 },
    { name: "one past it", expiresMs: 8_640_000_000_000_001, want: 400 },
  ])("tokens: an end at $name is answered with $want", async ({ expiresMs, want }) => {
    const { token } = await createToken(api.store, {
      name: "admin",
      role: "admin",
      nowMs: START_MS,
    });
    const body = { name: "x", expiresMs };
    const { status } = await api.call({ method: "POST", url: "/api/tokens", body, token });
    expect(status).toBe(want);
  });

  test.for([
    { name: "no role", body: {}, want: "reader" },
    { name: "a role", body: { role: "analyst" }, want: "analyst" },
  ])("tokens: one that is made with $name is of $want", async ({ body: more, want }) => {
    const { token } = await createToken(api.store, {
      ...{ name: "admin", role: "admin", nowMs: START_MS },
    });
    const body = { name: "x", ...more };
    const made = await api.call({ method: "POST", url: "/api/tokens", body, token });
    expect([made.status, made.body.about.role]).toEqual([201, want]);
  });

  test("tokens: made, listed without secrets, expired, revoked", async () => {
    const nowMs = START_MS;
    const keeps = await createToken(api.store, { name: "keeps", role: "reader", nowMs });
    const ends = await createToken(api.store, {
      name: "ends",
      role: "reader",
      nowMs: nowMs + 1,
      expiresMs: nowMs + 1000,
    });
    const works = async (token: string) => (await api.call({ url: "/api/session", token })).status;
    expect([await works(keeps.token), await works(ends.token)]).toEqual([200, 200]);
    expect(keeps.token).toMatch(/^wache_[0-9a-f]{16}_[\w-]{43}$/);
    expect(await listTokens(api.store)).toEqual([ends.about, keeps.about]);
    api.advance(1000);
    expect([await works(keeps.token), await works(ends.token)]).toEqual([200, 401]);
    expect(await revokeToken(api.store, { id: keeps.about.id, nowMs })).toBe(true);
    expect(await revokeToken(api.store, { id: keeps.about.id, nowMs })).toBe(false);
    expect(await works(keeps.token)).toBe(401);
  });

  test("tokens: a wrong token does not fall back to the cookie beside it", async () => {
    const cookie = await api.signUp();
    expect((await api.call({ url: "/api/session", cookie, token: "wache_x" })).status).toBe(401);
  });

  test("the socket in the data folder is the machine's own admin: it makes a token by the API", async () => {
    await api.http.listen();
    await api.http.open();
    expect(existsSync(api.socketPath)).toBe(true);
    const made = await overSocket(api.socketPath, "/api/tokens", {
      name: "script",
      role: "reader",
    });
    const { status, body } = await api.call({ url: "/api/session", token: made.token });
    expect([status, body]).toEqual([200, { name: "token script", role: "reader", by: "token" }]);
    const overTcp = await fetch(`${api.http.address()}/api/tokens`);
    expect(overTcp.status).toBe(401);
  });

  test("no secret is stored, logged or shown to strangers", async () => {
    const setup = api.setupToken();
    const cookie = await api.signUp();
    const { token } = await createToken(api.store, { name: "t", role: "reader", nowMs: START_MS });
    await api.call({ url: "/api/session", token });
    const { items } = await api.store.searchDocuments("accounts", {
      query: { kind: "all" },
      limit: 100,
      sort: "createdMs",
    });
    const ready = await api.call({ url: "/readyz" });
    const seen = JSON.stringify([items, api.logged, ready.body]);
    expect(items.length).toBeGreaterThan(2);
    for (const secret of [
      setup,
      cookie.split("=")[1] ?? "-",
      token,
      token.slice(-43),
      ADMIN.password,
    ])
      expect(seen).not.toContain(secret);
  });
});

function overSocket(socketPath: string, path: string, body: unknown): Promise<{ token: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const asking = request({ socketPath, path, method: "POST", headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += String(chunk);
      });
      response.on("end", () => resolve(JSON.parse(text)));
    });
    asking.on("error", reject);
    asking.end(JSON.stringify(body));
  });
}
