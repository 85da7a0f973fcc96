// sshd.ts — what OpenSSH's server says about sign-ins and about those who knock.
//
// Holds: of the several lines that one failed sign-in leaves, exactly one ("Failed … for … from …") has event.action
//        "ssh_login" with outcome "failure", so that counting those counts failures.
// Why:   user names are the attacker's to choose and may contain " from 1.2.3.4 port 22": the last one is sshd's own.
import { isIP } from "node:net";
import { type Draft, setSource, setUser } from "./draft.ts";
import { pamMessage } from "./pam.ts";

const SIGN_IN =
  /^(Accepted|Failed|Postponed|Partial) (\S{1,64}) for (invalid user |illegal user )?(.{0,256}) from (\S{1,255}) port (\d{1,5})(?: ssh\d?)?(?: \[preauth\])?(?:: .*)?$/s;
const INVALID = /^(?:Invalid|Illegal) user (.{0,256}) from (\S{1,255})(?: port (\d{1,5}))?$/s;
const REQUEST = /^input_userauth_request: (?:invalid|illegal) user (.{0,256}?)(?: \[preauth\])?$/s;
const NOT_ALLOWED = /^User (.{0,256}) from (\S{1,255}) not allowed because /s;
const ATTEMPTS =
  /maximum authentication attempts exceeded for (?:invalid user )?(.{0,256}) from (\S{1,255}) port (\d{1,5})/s;
const MAPPING = /^(?:reverse mapping checking getaddrinfo for|Address) \S{1,255} \[([^\]]{1,64})\]/;
const PEER =
  /(?:\bfrom|\bby|\bwith|\buser .{0,256}) ([0-9A-Fa-f][0-9A-Fa-f.:]{2,44}?)(?::? port (\d{1,5})|[:,]? |:?$)/s;

export function sshd(message: string, draft: Draft): void {
  draft.event.module = "sshd";
  draft.sources.push({ product: "linux", service: "sshd" }, { product: "linux", service: "auth" });
  if (pamMessage(message, draft)) return;
  if (signIn(message, draft) || unknownUser(message, draft) || refusedUser(message, draft)) return;
  const mapped = MAPPING.exec(message)?.[1];
  if (mapped !== undefined && isIP(mapped) !== 0) {
    knock(draft, "ssh_reverse_mapping", mapped);
    return;
  }
  const [, address, port] = PEER.exec(message.slice(0, 600)) ?? [];
  if (address === undefined || isIP(address) === 0) return;
  knock(draft, actionOf(message), address, port);
}

function signIn(message: string, draft: Draft): boolean {
  const [whole, verb, method, unknown, user, address, port] = SIGN_IN.exec(message) ?? [];
  if (whole === undefined || address === undefined) return false;
  const event = draft.event;
  event.category = ["authentication"];
  if (verb === "Postponed" || verb === "Partial") {
    event.action = "ssh_login_step";
    event.type = ["info"];
  } else {
    event.action = "ssh_login";
    event.type = ["start"];
    event.outcome = verb === "Accepted" ? "success" : "failure";
  }
  setSource(draft, address, port);
  setUser(draft, user ?? "");
  draft.fields.ssh = { method, ...(unknown === undefined ? {} : { unknown_user: true }) };
  return true;
}

function unknownUser(message: string, draft: Draft): boolean {
  const [whole, user, address, port] = INVALID.exec(message) ?? [];
  const name = whole === undefined ? REQUEST.exec(message)?.[1] : user;
  if (name === undefined) return false;
  draft.event.category = ["authentication"];
  draft.event.type = ["info"];
  draft.event.action = "ssh_invalid_user";
  if (address !== undefined) setSource(draft, address, port);
  setUser(draft, name);
  return true;
}

function refusedUser(message: string, draft: Draft): boolean {
  const refused = NOT_ALLOWED.exec(message);
  const [whole, user, address, port] = refused ?? ATTEMPTS.exec(message) ?? [];
  if (whole === undefined || address === undefined) return false;
  draft.event.category = ["authentication"];
  draft.event.type = ["denied"];
  draft.event.action = refused === null ? "ssh_attempts_exceeded" : "ssh_user_not_allowed";
  setSource(draft, address, port);
  setUser(draft, user ?? "");
  return true;
}

function knock(draft: Draft, action: string, address: string, port?: string): void {
  draft.event.category = ["network"];
  draft.event.type = action === "ssh_disconnect" ? ["connection", "end"] : ["connection"];
  draft.event.action = action;
  setSource(draft, address, port);
}

function actionOf(message: string): string {
  if (/^(?:error: )?(?:Received disconnect|Disconnect|Connection (?:closed|reset))/.test(message))
    return "ssh_disconnect";
  if (message.startsWith("Connection from")) return "ssh_connect";
  return "ssh_probe"; // no identification, a bad protocol, no common cipher
}
