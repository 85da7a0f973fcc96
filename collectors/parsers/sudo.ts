// sudo.ts — who ran what as whom by sudo, and who was refused.
import { type Draft, setUser } from "./draft.ts";
import { pamMessage } from "./pam.ts";

const HEAD = /^ *([^\s:;]{1,256}) : (.*)$/s;
const PAIR = /^([A-Z]{1,16})=(.*)$/s;
const REFUSED =
  /incorrect password|NOT in sudoers|not allowed|password is required|NOT authorized|authentication failure|may not run/i;

export function sudo(message: string, draft: Draft): void {
  draft.event.module = "sudo";
  draft.sources.push({ product: "linux", service: "sudo" }, { product: "linux", service: "auth" });
  if (pamMessage(message, draft)) return;
  const [, user, rest] = HEAD.exec(message) ?? [];
  if (user === undefined || rest === undefined) return;
  const { pairs, reason } = partsOf(rest);
  const refused = reason !== undefined && REFUSED.test(reason);
  const command = pairs.get("COMMAND");
  if (command === undefined && reason === undefined) return;
  setUser(draft, user, pairs.get("USER"));
  draft.event.category = refused ? ["authentication"] : ["process"];
  draft.event.type = refused ? ["denied"] : ["start"];
  draft.event.action = refused ? "sudo_denied" : "sudo_command";
  draft.event.outcome = refused ? "failure" : "success";
  if (reason !== undefined) draft.event.reason = reason;
  const before = (draft.fields.process ?? {}) as Record<string, unknown>;
  const tty = pairs.get("TTY");
  const folder = pairs.get("PWD");
  draft.fields.process = {
    ...before,
    ...(command === undefined
      ? {}
      : { command_line: command, executable: command.split(" ", 1)[0] }),
    ...(folder === undefined ? {} : { working_directory: folder }),
    ...(tty === undefined ? {} : { tty }),
  };
}

/** `reason ; TTY=… ; PWD=… ; USER=… ; COMMAND=the rest`: a command may itself contain " ; ". */
function partsOf(text: string): {
  readonly pairs: ReadonlyMap<string, string>;
  readonly reason: string | undefined;
} {
  const pairs = new Map<string, string>();
  let reason: string | undefined;
  let rest = text;
  for (let count = 0; count < 16 && rest !== ""; count++) {
    const isCommand = rest.startsWith("COMMAND=");
    const cut = isCommand ? -1 : rest.indexOf(" ; ");
    const part = cut < 0 ? rest : rest.slice(0, cut);
    rest = cut < 0 ? "" : rest.slice(cut + 3);
    const [, name, value] = PAIR.exec(part) ?? [];
    if (name !== undefined && value !== undefined) pairs.set(name, value);
    else if (reason === undefined) reason = part.trim().slice(0, 256);
  }
  return { pairs, reason };
}
