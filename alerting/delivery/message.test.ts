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

  test("breaks no line of subject or facts", () => {
    const lines = [message.subject, ...message.facts.flatMap(({ label, value }) => [label, value])];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there.
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f]/);
    expect(message.subject.length).toBeLessThanOrEqual(200);
  });
});
