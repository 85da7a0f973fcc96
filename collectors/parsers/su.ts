// su.ts — who became whom by su.
import { type Draft, setUser } from "./draft.ts";
import { pamMessage } from "./pam.ts";

const WORDS = /^(Successful|FAILED) su for (\S{1,256}) by (\S{1,256})/;
const OLD = /^(FAILED SU )?\(to (\S{1,256})\) (\S{1,256}) on (\S{1,64})/;

export function su(message: string, draft: Draft): void {
  draft.event.module = "su";
  draft.sources.push({ product: "linux", service: "auth" });
  if (pamMessage(message, draft)) return;
  const [whole, verb, to, by] = WORDS.exec(message) ?? [];
  const [old, failed, oldTo, oldBy] = OLD.exec(message) ?? [];
  if (whole === undefined && old === undefined) return;
  setUser(draft, by ?? oldBy ?? "", to ?? oldTo ?? "");
  draft.event.category = ["authentication"];
  draft.event.type = ["start"];
  draft.event.action = "su_login";
  draft.event.outcome = verb === "FAILED" || failed !== undefined ? "failure" : "success";
}
