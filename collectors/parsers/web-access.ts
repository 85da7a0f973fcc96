// web-access.ts — access logs of nginx and Apache, common and combined.
//
// Why: the two write the same format, so the product is named only where the sender or the configuration says it.
import type { LogSource } from "../../core/event.ts";
import { type Draft, type LineContext, newDraft, relate, setSource, setUser } from "./draft.ts";
import { clfTime } from "./log-time.ts";

const LINE =
  /^(?:([\w.-]{1,255}(?::\d{1,5})?) )?([0-9A-Za-z.:%_-]{1,255}) \S{1,255} (\S{1,255}|"[^"]{0,255}") \[([^\]]{10,40})\] "([^"\\]*(?:\\[\s\S][^"\\]*)*)" (\d{3}) (\d{1,19}|-)(?: "([^"\\]*(?:\\[\s\S][^"\\]*)*)" "([^"\\]*(?:\\[\s\S][^"\\]*)*)")?/;
const REQUEST = /^([A-Z]{3,16}) (\S+)(?: HTTP\/(\d(?:\.\d)?))?$/;

export function webAccess(text: string, context: LineContext, product?: string): Draft | undefined {
  const found = LINE.exec(text);
  if (found === null) return undefined;
  const [, site, address, user, timeText, request, status, size, referrer, agent] = found;
  const time = clfTime(timeText ?? "", context);
  if (time === undefined || address === undefined) return undefined;
  const draft = newDraft(text);
  draft.timeMs = time.ms;
  draft.assumed = time.assumed;
  setSource(draft, address);
  const name = (user ?? "-").replaceAll('"', "");
  if (name !== "-" && name !== "") setUser(draft, name);
  const code = Number(status);
  const [, method, target, version] = REQUEST.exec(request ?? "") ?? [];
  draft.fields.http = {
    request: {
      ...(method === undefined ? {} : { method }),
      ...(referrer === undefined || referrer === "-" ? {} : { referrer }),
    },
    response: {
      status_code: code,
      ...(size === "-" ? {} : { body: { bytes: Number(size) } }),
    },
    ...(version === undefined ? {} : { version }),
  };
  draft.fields.url = urlOf(target ?? request ?? "", site);
  if (agent !== undefined && agent !== "-") draft.fields.user_agent = { original: agent };
  if (site !== undefined) relate(draft, "hosts", site.replace(/:\d+$/, ""));
  draft.event = {
    category: ["web"],
    type: ["access"],
    action: "web_request",
    outcome: code >= 400 ? "failure" : "success",
    module: product ?? "web",
  };
  draft.sources = webSources(product);
  return draft;
}

const webSources = (product: string | undefined): LogSource[] =>
  product === undefined
    ? [{ category: "webserver" }]
    : [{ category: "webserver", product }, { category: "webserver" }];

function urlOf(target: string, site: string | undefined): Record<string, unknown> {
  const question = target.indexOf("?");
  const path = question < 0 ? target : target.slice(0, question);
  const dot = path.lastIndexOf(".");
  const extension = dot > path.lastIndexOf("/") ? path.slice(dot + 1, dot + 17) : "";
  return {
    original: target,
    path,
    ...(question < 0 ? {} : { query: target.slice(question + 1) }),
    ...(extension === "" ? {} : { extension }),
    ...(site === undefined ? {} : { domain: site.replace(/:\d+$/, "") }),
  };
}
