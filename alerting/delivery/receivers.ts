// receivers.ts — what came of a mail to several: who has it, who was put off and is tried again, who was refused for good.
//
// Holds: the mail is put off while anyone is; it is delivered once somebody has it and nobody is put off any more.
import { domainToASCII } from "node:url";
import type { Receivers } from "../../core/records.ts";
import type { SendResult } from "./channel.ts";
import { oneLine } from "./message.ts";

/** What the server answered about one receiver. */
export type Refusal = {
  readonly recipient?: string | undefined;
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
};
export const NOBODY: Receivers = { taken: [], refused: [] };
const answerCharsMax = 200;
const toldMax = 5; // receivers named in a reason

/** The address alone, in the form in which servers are told it. */
export function addressOf(receiver: string): string {
  const address = /<([^<>]*)>\s*$/.exec(receiver)?.[1] ?? receiver;
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1).trim();
  return `${address.slice(0, at).trim()}@${domainToASCII(domain) || domain.toLowerCase()}`;
}

/** Whether the error says that the server took no receiver at all. */
export const isForAll = ({
  code,
  command,
}: {
  readonly code?: string;
  readonly command?: string;
}): boolean => code === "EENVELOPE" && command === "RCPT TO";

export function resultFor(args: {
  readonly server: string;
  readonly settled: Receivers; // by earlier attempts
  readonly accepted: readonly string[];
  readonly refusals: readonly Refusal[];
}): SendResult {
  const { server, settled, accepted, refusals } = args;
  const putOff = refusals.filter((one) => !isFinal(one));
  const refused = refusals.filter(isFinal);
  const receivers: Receivers = {
    taken: [...settled.taken, ...accepted.map(addressOf)],
    refused: [...settled.refused, ...refused.map(({ recipient = "" }) => addressOf(recipient))],
  };
  const said = [
    ...(putOff.length > 0 ? [`${server} put it off for ${listed(putOff)}`] : []),
    ...(refused.length > 0 ? [`${server} refused it for good for ${listed(refused)}`] : []),
  ].join("; ");
  const reason = said || `${server} refused it for good for ${named(receivers.refused)}`;
  if (putOff.length > 0) return { kind: "retry", reason, receivers };
  if (receivers.taken.length === 0)
    return { kind: "refused", reason: `${reason}; check the channel's to` };
  if (receivers.refused.length === 0) return { kind: "delivered" };
  return { kind: "delivered", detail: reason, receivers };
}

const isFinal = ({ responseCode = 0 }: Refusal): boolean => responseCode >= 500;

function listed(refusals: readonly Refusal[]): string {
  return named(
    refusals.map(
      ({ recipient, response }) =>
        `${recipient} (${oneLine(response ?? "no answer", answerCharsMax)})`,
    ),
  );
}

function named(receivers: readonly string[]): string {
  const told = receivers.slice(0, toldMax).join(", ");
  const more = receivers.length - toldMax;
  return more > 0 ? `${told} and ${more} more` : told;
}
