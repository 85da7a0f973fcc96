// The page in a real browser: from the setup link to an acknowledged incident and a search.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../core/clock.ts";
import { packageRoot } from "../../core/package-root.ts";
import { ADMIN, type ApiUnderTest, startApi } from "../../dashboard-api/api-under-test.ts";
import {
  obeyCommands,
  putEvents,
  putIncidents,
  sampleEvent,
  sampleIncident,
} from "../../dashboard-api/test-incidents.ts";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const shotsDir = process.env.WACHE_TEST_SHOTS;
const hasChromium = existsSync(CHROMIUM);
if (!hasChromium && process.env.CI !== "true")
  console.warn(`skipped: the page's tests need ${CHROMIUM}`);

describe.skipIf(!hasChromium && process.env.CI !== "true")("page", () => {
  let browser: Browser;
  let api: ApiUnderTest;
  let stage: Awaited<ReturnType<typeof obeyCommands>>;
  let context: BrowserContext;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    const { build } = await import("vite");
    await build({ root: join(packageRoot(), "dashboard-api", "web"), logLevel: "warn" });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    api = await startApi({}, { clock: systemClock });
    stage = await obeyCommands(api.bus, api.store);
    await api.http.listen();
    await api.http.open();
    context = await browser.newContext({ baseURL: api.http.address() });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    faults = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("request", (asked) => {
      if (!asked.url().startsWith(api.http.address())) faults.push(`asked for ${asked.url()}`);
    });
    page.on("console", (line) => {
      if (line.text().includes("Content Security Policy")) faults.push(line.text());
    });
  });
  afterEach(async () => {
    await context.close();
    await stage.close();
    await api.close();
    expect(faults).toEqual([]);
  });

  const shoot = async (name: string) => {
    if (shotsDir === undefined) return;
    mkdirSync(shotsDir, { recursive: true });
    await page.screenshot({ path: join(shotsDir, `${name}.png`), fullPage: true });
  };
  const signUp = async () => {
    await page.goto(`/setup#${api.setupToken()}`);
    await page.getByLabel("Name").fill(ADMIN.name);
    await page.getByLabel("Password", { exact: false }).first().fill(ADMIN.password);
    await page.getByLabel("Password again").fill(ADMIN.password);
    await page.getByRole("button", { name: "Create the administrator" }).click();
    await page.getByRole("heading", { name: "Incidents", exact: true }).waitFor();
  };
  const nowEvent = (number: number, patch = {}) =>
    sampleEvent(number, {
      "@timestamp": new Date(api.now() - 60_000 + number).toISOString(),
      ...patch,
    });

  test("setup, an empty first page, sign out, sign in", async () => {
    await page.goto(`/setup#${api.setupToken()}`);
    await shoot("setup");
    await signUp();
    await page.getByText("To see one within a minute").waitFor();
    await page.getByText("npx wache demo").waitFor();
    const curl = await page.getByText("curl -H").textContent();
    expect(curl).toContain(`${api.http.address()}/ingest`);
    expect(curl).toContain("ingest.token");
    await shoot("first-page");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Password").fill("a wrong password");
    await page.getByLabel("Name").fill(ADMIN.name);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await shoot("sign-in");
    await page.getByLabel("Password").fill(ADMIN.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Incidents", exact: true }).waitFor();
  });

  test("an incident appears while one looks, is opened, acknowledged, commented and closed", async () => {
    await signUp();
    await putEvents(api.store, [nowEvent(1), nowEvent(2)]);
    await putIncidents(api.store, [
      sampleIncident(1, { updatedMs: api.now() }),
      sampleIncident(2, {
        updatedMs: api.now(),
        severity: "critical",
        replay: true,
        stream: "old.log",
      }),
      sampleIncident(3, { updatedMs: api.now(), severity: "low", status: "closed" }),
    ]);
    await page.getByRole("link", { name: /203\.0\.113\.1\)/ }).waitFor();
    await shoot("incidents");
    await page.getByRole("link", { name: /203\.0\.113\.1\)/ }).click();
    await page.getByText("Failed password for root").first().waitFor();
    const summary = page.getByRole("region", { name: "What happened" });
    await summary.getByText("Ten or more failed sign-ins").waitFor();
    const around = page.getByRole("link", { name: "What else it did" });
    const search = new URL((await around.getAttribute("href")) ?? "", api.http.address());
    expect(search.searchParams.get("q")).toBe('source.ip:"203.0.113.1"');
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText("acknowledged by ada").waitFor();
    await page.getByLabel("Comment").fill("looking at <b>it</b>");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByText("looking at <b>it</b>").waitFor();
    await shoot("incident");
    await page.getByLabel("Close because").fill("a drill");
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByText("closed by ada").waitFor();
    expect(stage.seen.map(({ by, action }) => [by, action])).toEqual([
      ["ada", { do: "acknowledge" }],
      ["ada", { do: "comment", text: "looking at <b>it</b>" }],
      ["ada", { do: "close", reason: "a drill" }],
    ]);
  });

  test("a change by somebody else shows without loading again, and a filter holds", async () => {
    await putIncidents(api.store, [sampleIncident(1, { updatedMs: api.now() })]);
    await signUp();
    await page.getByRole("link", { name: "Open", exact: true }).click();
    await page.getByRole("link", { name: /203\.0\.113\.1\)/ }).waitFor();
    const patch = { revision: 2, status: "acknowledged", updatedMs: api.now() } as const;
    await putIncidents(api.store, [sampleIncident(1, patch)]);
    await page.getByText("No incident is open.").waitFor();
  });

  test("search: a query, its events as JSON, a bad one with its column, and a link that repeats it", async () => {
    const other = { message: "Accepted publickey for ada", host: { name: "web-1" } };
    await putEvents(api.store, [nowEvent(1), nowEvent(2, other)]);
    await signUp();
    await page
      .getByRole("navigation", { name: "Views" })
      .getByRole("link", { name: "Search" })
      .click();
    await page.getByText("2 events;").waitFor();
    await page.getByText("How to ask").click();
    await page.getByRole("link", { name: "user.name:root" }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("q")).toBe("user.name:root");
    await page.getByRole("status").getByText(/event/).waitFor();
    await page.getByLabel("Query").fill("host.name:web-1");
    await page.keyboard.press("Enter");
    await page.getByText("1 event;").waitFor();
    await page.getByText("Accepted publickey for ada").click();
    await page.getByText('"name": "web-1"').waitFor();
    await shoot("search");
    expect(new URL(page.url()).search).toContain("q=host.name%3Aweb-1");
    await page.reload();
    await page.getByText("1 event;").waitFor();
    await page.getByLabel("Query").fill("host.name:(");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText(/column \d+$/).waitFor();
    await shoot("bad-query");
  });

  test("rules, status and the API's description", async () => {
    api.status.set("rules", {
      ok: true,
      text: "1 rule",
      data: { rules: [sampleIncident(1).rule] },
    });
    await signUp();
    await page.getByRole("link", { name: "Rules" }).click();
    await page.getByText("Many failed SSH sign-ins").waitFor();
    await page.getByRole("link", { name: "Status" }).click();
    await page.getByText("the embedded store answers").waitFor();
    await shoot("status");
    await page.getByRole("link", { name: "API" }).click();
    await page.getByText("/api/incidents/{id}/acknowledge").click();
    await page.getByText("idempotency-key (header)").filter({ visible: true }).waitFor();
    await shoot("docs");
  });

  test("a lost connection is said, and the list comes back by itself", async () => {
    await page.route("**/api/live", (route) => route.abort());
    await signUp();
    await page.getByText("Connection lost").waitFor();
    await shoot("lost");
    await putIncidents(api.store, [sampleIncident(1, { updatedMs: api.now() })]);
    await page.unroute("**/api/live");
    await page.getByText("Connection lost").waitFor({ state: "detached" });
    await page.getByRole("link", { name: /203\.0\.113\.1\)/ }).waitFor();
  });

  test("by keyboard alone, in the dark, on a small screen", async () => {
    await putIncidents(api.store, [sampleIncident(1, { updatedMs: api.now() })]);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 400, height: 800 });
    await signUp();
    const link = page.getByRole("link", { name: /203\.0\.113\.1\)/ });
    await link.waitFor();
    await shoot("dark-small");
    const tops = await page
      .getByRole("navigation", { name: "Views" })
      .getByRole("link")
      .evaluateAll((links) => links.map((one) => Math.round(one.getBoundingClientRect().top)));
    expect(tops).toEqual(tops.map(() => tops[0])); // side by side
    const { width = 0 } = (await link.boundingBox()) ?? {};
    expect(width).toBeGreaterThan(200); // the title has room
    for (let tabs = 0; tabs < 30; tabs++) {
      await page.keyboard.press("Tab");
      if (await link.evaluate((element) => element.matches(":focus"))) break;
    }
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /Many failed SSH/ }).waitFor();
    await shoot("dark-incident");
    const acknowledge = page.getByRole("button", { name: "Acknowledge" });
    await acknowledge.focus();
    await page.keyboard.press("Enter");
    await page.getByText("acknowledged by ada").waitFor();
  });
});
