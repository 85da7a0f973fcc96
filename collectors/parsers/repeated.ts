// repeated.ts — `message repeated 5 times: [ … ]`, by which syslog daemons fold equal lines: they count as five.
export const repeatMax = 1000; // events that one line may stand for

const REPEATED = /^message repeated (\d{1,9}) times: \[ ?/;

/** The folded message, and how many events it stands for. */
export function unfold(message: string): { readonly message: string; readonly repeat: number } {
  const found = message.startsWith("message repeated ") ? REPEATED.exec(message) : null;
  if (found === null || !message.endsWith("]")) return { message, repeat: 1 };
  const times = Number(found[1]);
  return {
    message: message.slice(found[0].length, -1).trimEnd(),
    repeat: Math.min(Math.max(times, 1), repeatMax),
  };
}
