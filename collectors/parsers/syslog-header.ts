// syslog-header.ts — reads the head of a syslog line: RFC 5424, RFC 3164, and the bare form of log files, with BSD or
// ISO times.
//
// Out:   what the head says and the message behind it; undefined where the line has no such head.
// Holds: one look at each character, whatever the line.
import type { LineContext } from "./draft.ts";
import { fractionMs, isoTime, type LogTime, monthOf, resolveTime } from "./log-time.ts";

export type SyslogHeader = {
  readonly priority?: number;
  readonly version?: number;
  readonly time?: LogTime | undefined;
  readonly host?: string | undefined;
  readonly program?: string | undefined;
  readonly pid?: string | undefined;
  readonly messageId?: string | undefined;
  readonly structured?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  readonly message: string;
};

const PRIORITY = /^<(\d{1,3})>/;

export function syslogHeader(text: string, context: LineContext): SyslogHeader | undefined {
  const found = text.charCodeAt(0) === 60 ? PRIORITY.exec(text) : null;
  const number = found === null ? Number.NaN : Number(found[1]);
  if (found === null || number > 191) {
    const bare = afterPriority(text, context);
    const isBsd = (text.charCodeAt(0) | 32) >= 97;
    return isBsd || bare?.program !== undefined ? bare : undefined;
  }
  const rest = text.slice(found[0].length);
  const header = newForm(rest, context) ?? afterPriority(rest, context);
  return { ...(header ?? programOf(rest)), priority: number };
}

const NEW_FORM = /^1 (\S{1,64}) (\S{1,255}) (\S{1,128}) (\S{1,128}) (\S{1,64}) (?=[-[])/;
const nil = (text: string | undefined): string | undefined => (text === "-" ? undefined : text);

function newForm(rest: string, context: LineContext): SyslogHeader | undefined {
  const found = NEW_FORM.exec(rest);
  if (found === null) return undefined;
  const [whole, timeText, host, program, pid, messageId] = found;
  const read = timeText === "-" ? undefined : isoTime(timeText ?? "", context);
  if (timeText !== "-" && read === undefined) return undefined;
  const data = structuredData(rest, whole.length);
  if (data === undefined) return undefined;
  let message = rest.slice(data.end);
  if (message.startsWith(" ")) message = message.slice(1);
  if (message.charCodeAt(0) === 0xfeff) message = message.slice(1);
  return {
    version: 1,
    time: read,
    host: nil(host),
    program: nil(program),
    pid: nil(pid),
    messageId: nil(messageId),
    structured: data.elements,
    message,
  };
}

const ELEMENT = /\[([^\s="\]]{1,128})/y;
const PARAMETER = / ([^\s="\]]{1,128})="([^"\\]*(?:\\[\s\S][^"\\]*)*)"/y;
const elementsMax = 64;

function structuredData(
  rest: string,
  start: number,
): { elements?: Record<string, Record<string, string>>; end: number } | undefined {
  if (rest.charCodeAt(start) === 45) return { end: start + 1 };
  const elements: [string, Record<string, string>][] = [];
  let at = start;
  while (rest.charCodeAt(at) === 91 && elements.length < elementsMax) {
    ELEMENT.lastIndex = at;
    const id = ELEMENT.exec(rest)?.[1];
    if (id === undefined) return undefined;
    at = ELEMENT.lastIndex;
    const values: [string, string][] = [];
    for (PARAMETER.lastIndex = at; values.length < elementsMax; ) {
      const [, name, value] = PARAMETER.exec(rest) ?? [];
      if (name === undefined || value === undefined) break;
      values.push([name, value.replace(/\\(["\\\]])/g, "$1")]);
      at = PARAMETER.lastIndex;
    }
    if (rest.charCodeAt(at) !== 93) return undefined;
    at++;
    elements.push([id, Object.fromEntries(values)]);
  }
  return { elements: Object.fromEntries(elements), end: at };
}

const BSD_TIME =
  /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: (?:UTC|GMT|Z))?:? /;

/** The old form: a time, perhaps a host, perhaps a program. */
function afterPriority(rest: string, context: LineContext): SyslogHeader | undefined {
  const bsd = bsdTime(rest, context);
  if (bsd !== undefined) {
    const { time, end } = bsd;
    return { ...hostAndProgram(rest.slice(end), false), time };
  }
  const first = rest.charCodeAt(0);
  if (first < 48 || first > 57) return undefined;
  const iso = isoTime(rest, context);
  if (iso === undefined || rest.charCodeAt(iso.end) !== 32) return undefined;
  const header = hostAndProgram(rest.slice(iso.end + 1), true);
  return { ...header, time: { ms: iso.ms, assumed: iso.assumed } };
}

function bsdTime(
  rest: string,
  context: LineContext,
): { readonly time: LogTime; readonly end: number } | undefined {
  const found = BSD_TIME.exec(rest);
  if (found === null) return undefined;
  const [whole, monthName, day, year, hour, minute, second, fraction] = found;
  const month = monthOf(monthName ?? "");
  if (month === undefined) return undefined;
  const parts = {
    month,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    ms: fractionMs(fraction),
  };
  const time = resolveTime(year === undefined ? parts : { ...parts, year: Number(year) }, context);
  return time === undefined ? undefined : { time, end: whole.length };
}

const HOST = /^([A-Za-z0-9_.:%@-]{1,255}) +/;

/** `strict`: a host only in front of a program, since many logs begin with an ISO time and no host. */
function hostAndProgram(rest: string, strict: boolean): SyslogHeader {
  const direct = programOf(rest);
  if (direct.program !== undefined) return direct;
  const found = HOST.exec(rest);
  const host = found?.[1];
  if (found === null || host === undefined || host.endsWith(":")) return direct;
  const header = programOf(rest.slice(found[0].length));
  if (strict && header.program === undefined) return direct;
  return { ...header, host };
}

const PROGRAM = /^([^\s:[\]"'{}=]{1,128})(?:\[([^\]\s]{1,64})\])?: ?/;

function programOf(rest: string): SyslogHeader {
  const found = PROGRAM.exec(rest);
  if (found === null) return { message: rest };
  const [whole, program, pid] = found;
  return { program, pid, message: rest.slice(whole.length) };
}
