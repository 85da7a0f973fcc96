// web-error.ts — error logs of Apache (`[Sun Dec 04 04:47:44 2005] [error] …`) and nginx (`2024/05/01 12:00:00 [error] …`).
import { type Draft, type LineContext, newDraft, setSource } from "./draft.ts";
import { fractionMs, monthOf, resolveTime } from "./log-time.ts";

const APACHE =
  /^\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\d{4})\] \[(?:([\w-]{0,64}):)?(\w{1,16})\] ?/;
const PROCESS = /^\[pid (\d{1,10})(?::tid (\d{1,20}))?\] ?/;
const CLIENT = /^\[(?:client|remote) (\[?[^\]\s]{1,255}\]?)\] ?/;
const NGINX =
  /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d) \[(\w{1,16})\] (\d{1,10})#(\d{1,10}): (?:\*\d{1,20} )?/;

export function webError(text: string, context: LineContext): Draft | undefined {
  return text.charCodeAt(0) === 91 ? apache(text, context) : nginx(text, context);
}

function apache(text: string, context: LineContext): Draft | undefined {
  const found = APACHE.exec(text);
  if (found === null) return undefined;
  const [whole, monthName, day, hour, minute, second, fraction, year, module, level] = found;
  const month = monthOf(monthName ?? "");
  if (month === undefined) return undefined;
  const time = resolveTime(
    {
      year: Number(year),
      month,
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
      ms: fractionMs(fraction),
    },
    context,
  );
  if (time === undefined) return undefined;
  let rest = text.slice(whole.length);
  const pid = PROCESS.exec(rest);
  if (pid !== null) rest = rest.slice(pid[0].length);
  const client = CLIENT.exec(rest);
  if (client !== null) rest = rest.slice(client[0].length);
  const draft = errorDraft(text, rest, { product: "apache", level });
  draft.timeMs = time.ms;
  draft.assumed = time.assumed;
  if (module !== undefined && module !== "") draft.fields.apache = { error: { module } };
  if (pid?.[1] !== undefined) draft.fields.process = { pid: Number(pid[1]) };
  if (client?.[1] !== undefined) {
    const { address, port } = endpoint(client[1]);
    setSource(draft, address, port);
  }
  return draft;
}

/** `1.2.3.4:567`, `1.2.3.4`, `2001:db8::1`, `[2001:db8::1]:567`. */
function endpoint(text: string): { readonly address: string; readonly port?: string } {
  const [, inBrackets, bracketPort] = /^\[([^\]]{1,64})\](?::(\d{1,5}))?$/.exec(text) ?? [];
  if (inBrackets !== undefined)
    return bracketPort === undefined
      ? { address: inBrackets }
      : { address: inBrackets, port: bracketPort };
  const [, address, port] = /^([^:]{1,255}):(\d{1,5})$/.exec(text) ?? [];
  return address === undefined || port === undefined ? { address: text } : { address, port };
}

function nginx(text: string, context: LineContext): Draft | undefined {
  const found = NGINX.exec(text);
  if (found === null) return undefined;
  const [whole, year, month, day, hour, minute, second, level, pid] = found;
  const time = resolveTime(
    {
      year: Number(year),
      month: Number(month) - 1,
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
    },
    context,
  );
  if (time === undefined) return undefined;
  const rest = text.slice(whole.length);
  const draft = errorDraft(text, rest, { product: "nginx", level });
  draft.timeMs = time.ms;
  draft.assumed = time.assumed;
  draft.fields.process = { pid: Number(pid) };
  const client = rest.lastIndexOf(", client: ");
  if (client < 0) return draft;
  const details = rest.slice(client, client + 8192);
  const address = /^, client: ([0-9A-Za-z.:]{1,255})/.exec(details)?.[1];
  if (address !== undefined) setSource(draft, address);
  const [, method, target] = /, request: "([A-Z]{3,16}) ([^\s"]{1,4096})/.exec(details) ?? [];
  if (method !== undefined) draft.fields.http = { request: { method } };
  if (target !== undefined) draft.fields.url = { original: target, path: target.split("?", 1)[0] };
  return draft;
}

const FAULTS: ReadonlySet<string> = new Set(["error", "crit", "alert", "emerg"]);

function errorDraft(
  text: string,
  message: string,
  about: { readonly product: string; readonly level: string | undefined },
): Draft {
  const draft = newDraft(message);
  draft.original = text;
  const type = FAULTS.has(about.level ?? "") ? "error" : "info";
  draft.event = { category: ["web"], type: [type], module: about.product };
  if (about.level !== undefined) draft.fields.log = { level: about.level };
  draft.sources = [{ product: about.product, service: "error" }];
  return draft;
}
