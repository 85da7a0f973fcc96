// email-body.ts — the words of a mail, as text and as HTML that mail programs show alike.
import type { Level } from "../../core/records.ts";
import { ABOUT, type Message, marksOf } from "./message.ts";

export function emailText(message: Message): string {
  const width = Math.max(...message.facts.map(({ label }) => label.length));
  return [
    ...marksOf(message),
    message.intro,
    ...(message.about === undefined ? [] : [`${ABOUT}\n${message.about}`]),
    message.facts.map(({ label, value }) => `${`${label}:`.padEnd(width + 2)}${value}`).join("\n"),
    message.where,
    ...list("May be harmless", message.checks),
    ...list("Read on", message.references),
  ]
    .join("\n\n")
    .concat("\n");
}

const list = (title: string, items: readonly string[]): string[] =>
  items.length === 0 ? [] : [[title, ...items.map((item) => `- ${item}`)].join("\n")];

const COLOURS: Readonly<Record<Level, string>> = {
  informational: "#5b6770",
  low: "#2f6f9f",
  medium: "#946200",
  high: "#b3400e",
  critical: "#a8071a",
};

export function emailHtml(message: Message): string {
  const { subject, severity, facts, about, checks, references, url, where } = message;
  const marks = marksOf(message);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${html(subject)}</title></head>
<body style="margin:0;padding:16px;font-family:sans-serif;font-size:15px;line-height:1.4;color:#1a1a1a;background:#ffffff">
<h1 style="font-size:18px;margin:0 0 12px;padding:8px 12px;color:#ffffff;background:${COLOURS[severity]}">${html(subject)}</h1>
${marks.map((text) => `<p style="margin:0 0 12px"><strong>${html(text)}</strong></p>\n`).join("")}<p style="margin:0 0 12px">${html(message.intro)}</p>
${about === undefined ? "" : `<h2 style="font-size:15px;margin:0 0 4px">${ABOUT}</h2>\n<p style="margin:0 0 12px;white-space:pre-wrap">${html(about)}</p>\n`}<table style="border-collapse:collapse;margin:0 0 12px">
${facts.map(({ label, value }) => row(label, value)).join("\n")}
</table>
<p style="margin:0 0 12px">${url === undefined ? html(where) : `<a href="${html(url)}">Open the incident</a>`}</p>
${htmlList("May be harmless", checks)}${htmlList("Read on", references)}</body>
</html>
`;
}

const row = (label: string, value: string): string =>
  `<tr><th style="text-align:left;vertical-align:top;padding:2px 16px 2px 0;font-weight:600">${html(label)}</th><td style="padding:2px 0;word-break:break-word">${html(value)}</td></tr>`;

const htmlList = (title: string, items: readonly string[]): string =>
  items.length === 0
    ? ""
    : `<h2 style="font-size:15px;margin:0 0 4px">${html(title)}</h2>\n<ul style="margin:0 0 12px;padding-left:20px">\n${items
        .map((item) => `<li>${html(item)}</li>`)
        .join("\n")}\n</ul>\n`;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const html = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
