// syslog.ts — a syslog line, its head read by syslog-header.ts and its message by the parser of the program it names.
import type { Draft, LineContext, MessageParser } from "./draft.ts";
import { newDraft, relate } from "./draft.ts";
import { oldPam, pamMessage } from "./pam.ts";
import { unfold } from "./repeated.ts";
import { sshd } from "./sshd.ts";
import { su } from "./su.ts";
import { sudo } from "./sudo.ts";
import { type SyslogHeader, syslogHeader } from "./syslog-header.ts";
import { webAccess } from "./web-access.ts";
import { webError } from "./web-error.ts";

const SEVERITIES = [
  "emergency",
  "alert",
  "critical",
  "error",
  "warning",
  "notice",
  "informational",
  "debug",
];

const PROGRAMS: ReadonlyMap<string, MessageParser> = new Map<string, MessageParser>([
  ["sshd", sshd],
  ["sshd-session", sshd],
  ["sshd-auth", sshd],
  ["sudo", sudo],
  ["su", su],
  ["nginx", web("nginx")],
  ["apache", web("apache")],
  ["apache2", web("apache")],
  ["httpd", web("apache")],
  ["cron", service("cron")],
  ["CRON", service("cron")],
  ["crond", service("cron")],
  ["crontab", service("cron")],
  ["vsftpd", service("vsftpd")],
  ["clamd", service("clamav")],
  ["freshclam", service("clamav")],
  ["guacd", service("guacamole")],
  ["auditd", service("auditd")],
]);
const OLD_PAM = /^([\w.-]{1,64})\(pam_unix\)$/;

export function syslog(text: string, context: LineContext): Draft | undefined {
  const header = syslogHeader(text, context);
  if (header === undefined) return undefined;
  const { message, repeat } = unfold(header.message);
  const draft = newDraft(message);
  if (message !== text) draft.original = text;
  draft.repeat = repeat;
  if (header.time !== undefined) {
    draft.timeMs = header.time.ms;
    draft.assumed = header.time.assumed;
  }
  describe(header, draft);
  const program = header.program;
  if (program !== undefined) byProgram(baseName(program), message, draft, context);
  if (draft.sources.length === 0) draft.sources.push({ product: "linux", service: "syslog" });
  return draft;
}

const baseName = (program: string): string => program.slice(program.lastIndexOf("/") + 1);

function byProgram(program: string, message: string, draft: Draft, context: LineContext): void {
  const parser = PROGRAMS.get(program);
  if (parser !== undefined) {
    parser(message, draft, context);
    return;
  }
  const old = program.endsWith("(pam_unix)") ? OLD_PAM.exec(program)?.[1] : undefined;
  if (old !== undefined) oldPam(old, message, draft);
  else if (message.startsWith("pam_") && pamMessage(message, draft))
    draft.sources.push({ product: "linux", service: "auth" });
}

function describe(header: SyslogHeader, draft: Draft): void {
  const { host, program, pid, priority } = header;
  if (host !== undefined) {
    draft.fields.host = { name: host };
    relate(draft, "hosts", host);
  }
  if (program !== undefined) {
    const number = pid === undefined ? Number.NaN : Number(pid);
    draft.fields.process = Number.isSafeInteger(number)
      ? { name: program, pid: number }
      : { name: program };
  }
  if (priority === undefined) return;
  const severity = priority & 7;
  draft.fields.log = {
    level: SEVERITIES[severity],
    syslog: {
      priority,
      facility: { code: priority >> 3 },
      severity: { code: severity, name: SEVERITIES[severity] },
      ...(header.version === undefined ? {} : { version: String(header.version) }),
      ...(program === undefined ? {} : { appname: program }),
      ...(pid === undefined ? {} : { procid: pid }),
      ...(header.messageId === undefined ? {} : { msgid: header.messageId }),
      ...(header.structured === undefined ? {} : { structured_data: header.structured }),
    },
  };
}

function service(name: string): MessageParser {
  return (message, draft) => {
    draft.event.module = name;
    draft.sources.push(
      { product: "linux", service: name },
      { product: "linux", service: "syslog" },
    );
    pamMessage(message, draft);
  };
}

/** A web server that logs by syslog: the message is a line of its log. */
function web(product: string): MessageParser {
  return (message, draft, context) => {
    const inner = webAccess(message, context, product) ?? webError(message, context);
    if (inner === undefined) return;
    draft.message = inner.message ?? message;
    if (inner.timeMs !== undefined) draft.timeMs = inner.timeMs;
    draft.assumed = inner.assumed;
    draft.event = inner.event;
    draft.sources = inner.sources;
    const both = { ...draft.fields, ...inner.fields };
    for (const name of ["log", "process", "related"]) {
      const outer = draft.fields[name];
      if (outer !== undefined)
        both[name] = { ...(inner.fields[name] as object), ...(outer as object) };
    }
    const related = inner.fields.related as Record<string, string[]> | undefined;
    draft.fields = both;
    for (const ip of related?.ip ?? []) relate(draft, "ip", ip);
  };
}
