// pam.ts — what PAM's pam_unix says, in the newer form `pam_unix(sshd:auth): …` and the older one, where the program
// calls itself `sshd(pam_unix)`.
//
// Holds: the newer form never says "ssh_login", for sshd says it on a line of its own. In logs of the older form PAM's
//        line is the only one of a failure, so there it does; "2 more authentication failures" stands for two.
import { type Draft, setSource, setUser } from "./draft.ts";
import { repeatMax } from "./repeated.ts";

const NEWER = /^pam_\w{1,32}\(([\w.-]{1,64})(?::(\w{1,32}))?\): /;
const MORE = /^(?:PAM )?(\d{1,9}) more authentication failures?; /;
const SESSION =
  /^session (opened|closed) for user ([^\s(]{1,256})(?:\(uid=\d{1,10}\))?(?: by ([^\s(]{0,256})\(uid=(\d{1,10})\))?/;
const PAIR = /\b(logname|uid|euid|tty|ruser|rhost|user)=(\S*)/g;

/** Says whether the message was PAM's. */
export function pamMessage(message: string, draft: Draft): boolean {
  const found = NEWER.exec(message);
  if (found === null) {
    const more = MORE.exec(message);
    if (more === null) return false;
    failure(message.slice(more[0].length), draft);
    return true;
  }
  const rest = message.slice(found[0].length);
  return session(rest, draft) || authentication(rest, draft) || other(draft);
}

/** The whole message of a program that calls itself `service(pam_unix)`. */
export function oldPam(service: string, message: string, draft: Draft): void {
  draft.event.module = service;
  draft.sources.push({ product: "linux", service: "auth" });
  const process = draft.fields.process as Record<string, unknown> | undefined;
  draft.fields.process = { ...process, name: service };
  if (service === "sshd") draft.sources.unshift({ product: "linux", service: "sshd" });
  if (session(message, draft)) return;
  const more = MORE.exec(message);
  const known = more === null ? authentication(message, draft) : true;
  if (more !== null) {
    failure(message.slice(more[0].length), draft);
    draft.repeat = Math.min(Math.max(Number(more[1]), 1), repeatMax);
  }
  if (!known) other(draft);
  if (draft.event.action !== "pam_authentication_failure") return;
  draft.event.action = service === "sshd" ? "ssh_login" : `${service}_authentication`;
  draft.event.type = ["start"];
  draft.event.outcome = "failure";
}

function session(message: string, draft: Draft): boolean {
  const [whole, verb, user, by] = SESSION.exec(message) ?? [];
  if (whole === undefined || user === undefined) return false;
  draft.event.category = ["session"];
  draft.event.type = [verb === "opened" ? "start" : "end"];
  draft.event.action = `session_${verb}`;
  draft.event.outcome = "success";
  if (by === undefined || by === "") setUser(draft, user);
  else setUser(draft, by, user);
  return true;
}

function authentication(message: string, draft: Draft): boolean {
  if (!message.startsWith("authentication failure; ")) return false;
  failure(message.slice(24), draft);
  return true;
}

function failure(pairs: string, draft: Draft): void {
  draft.event.category = ["authentication"];
  draft.event.type = ["info"];
  draft.event.action = "pam_authentication_failure";
  let user = "";
  for (const [, name, value] of pairs.slice(0, 1024).matchAll(PAIR)) {
    if (value === undefined || value === "") continue;
    if (name === "rhost") setSource(draft, value);
    else if (name === "user") user = value;
    else if (name === "ruser" && user === "") user = value;
  }
  if (user !== "") setUser(draft, user);
}

function other(draft: Draft): boolean {
  draft.event.category = ["authentication"];
  draft.event.type = ["info"];
  return true;
}
