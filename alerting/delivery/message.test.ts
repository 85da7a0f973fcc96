import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { blockFaults } from "../../test/servers/slack.ts";
import { deliveryOf, HOSTILE, notification, T0 } from "../fixtures/findings.ts";
import { emailHtml, emailText } from "./email-body.ts";
import { slackMessage } from "./slack.ts";
import { webhookBody } from "./webhook.ts";

const golden = (name: string): string =>
  readFileSync(new URL(`../fixtures/golden/${name}`, import.meta.url), "utf8");
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const opened = deliveryOf(notification());
const replayed = deliveryOf(
  notification({ stream: "old.log", group: {}, bounded: true }, { reason: "raised" }),
  { repeatOfMs: T0 + 1000 },
);

describe("what goes over the wire", () => {
  test.for([
    { name: "opened.slack.json", got: json(slackMessage(opened.message)) },
    { name: "opened.txt", got: emailText(opened.message) },
    { name: "opened.html", got: emailHtml(opened.message) },
    { name: "opened.webhook.json", got: json(JSON.parse(webhookBody(opened))) },
    { name: "replay-repeat.slack.json", got: json(slackMessage(replayed.message)) },
    { name: "replay-repeat.txt", got: emailText(replayed.message) },
    { name: "replay-repeat.html", got: emailHtml(replayed.message) },
    { name: "replay-repeat.webhook.json", got: json(JSON.parse(webhookBody(replayed))) },
  ])("$name", ({ name, got }) => {
    if (name.endsWith(".json")) expect(JSON.parse(got)).toEqual(JSON.parse(golden(name)));
    else expect(got).toBe(golden(name));
  });
});

test("a late message says so in every channel, with the time for which it was meant", () => {
  const delivery = deliveryOf(notification(), { isLate: true });
  const { message } = delivery;
  const late =
    "This message is late: it was meant for 2026-11-23 03:00:00 UTC and tells how the incident stood then; somebody may have acknowledged or closed it since.";
  expect(JSON.parse(webhookBody(delivery)).late).toBe(late);
  const texts = [emailText(message), emailHtml(message), slackMessage(message).text];
  for (const text of [...texts, JSON.stringify(slackMessage(message).blocks)])
    expect(text).toContain(late);
  expect(opened.message.late).toBeUndefined();
});

test("an incident that came again says which it is", () => {
  const first = notification();
  const { facts } = deliveryOf({ ...first, incident: { ...first.incident, number: 2 } }).message;
  expect(facts.at(-1)?.value).toMatch(/ \(number 2 of its kind\)$/);
});

describe("a hostile log", () => {
  const { message } = deliveryOf(notification(HOSTILE), { publicUrl: "https://wache.example" });
  const slack = slackMessage(message);

  test("keeps within Slack's limits", () => {
    expect(blockFaults(JSON.stringify(slack.blocks))).toEqual([]);
    expect(slack.text.length).toBeLessThanOrEqual(4000);
  });

  test("mentions nobody in Slack and cuts no entity or character in half", () => {
    const texts = slack.blocks.flatMap((block) =>
      block.type === "section"
        ? "fields" in block
          ? block.fields.map(({ text }) => text)
          : [block.text.text]
        : [],
    );
    expect(texts.length).toBeGreaterThan(5);
    for (const text of [...texts, slack.text]) {
      expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  test("writes no tag of its own into the mail", () => {
    const html = emailHtml(message);
    expect(html).not.toContain("<script");
    expect(html.match(/<\/p>/g)).toHaveLength(3);
  });

  test("turns nothing around and hides nothing, but for a program's own eyes", () => {
    const hidden = "\u200b\u200f\u202a\u202e\u2066\u2069\ufeff\u{e0041}";
    const shown = "\\u{200b}\\u{200f}\\u{202a}\\u{202e}\\u{2066}\\u{2069}\\u{feff}\\u{e0041}";
    const rule = { id: "r", level: "low", title: `t${hidden}`, tags: [] } as const;
    const group = { [`k${hidden}`]: `v${hidden}` };
    const delivery = deliveryOf(
      notification({
        rule: { ...rule, description: `d\n${hidden}`, falsepositives: [hidden] },
        group,
      }),
    );
    const { message, notification: sent } = delivery;
    const texts = [emailText(message), emailHtml(message), JSON.stringify(slackMessage(message))];
    for (const text of [...texts, message.subject]) expect(text).not.toMatch(/\p{Cf}/u);
    expect(message.subject).toContain(`t${shown}`);
    expect(message.about).toBe(`d\n${shown}`);
    expect(message.facts).toContainEqual({ label: `k${shown}`, value: `v${shown}` });
    const body = JSON.parse(webhookBody(delivery));
    expect([body.summary, body.incident]).toEqual([message.subject, sent.incident]);
  });

  test("breaks no line of subject or facts", () => {
    const lines = [message.subject, ...message.facts.flatMap(({ label, value }) => [label, value])];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there.
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f]/);
    expect(message.subject.length).toBeLessThanOrEqual(200);
  });
});
