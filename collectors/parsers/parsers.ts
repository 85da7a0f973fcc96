// parsers.ts — the table of parsers, in the order in which they are asked: a line belongs to the first that knows it.
//
// In:    a line that is not empty, without its line end.
// Out:   what it says; a line that no parser knows is kept with its text as message.
// Holds: nothing throws, whatever the bytes; cost follows the length of the line.
import { type Draft, type LineContext, type LineParser, newDraft, type Refusal } from "./draft.ts";
import { jsonLine } from "./json-line.ts";
import { isoTime } from "./log-time.ts";
import { syslog } from "./syslog.ts";
import { webAccess } from "./web-access.ts";
import { webError } from "./web-error.ts";

const PARSERS: readonly LineParser[] = [
  jsonLine,
  webError,
  (text, context) => webAccess(text, context),
  syslog,
];

export function parseLine(text: string, context: LineContext): Draft | Refusal {
  for (const parser of PARSERS) {
    const read = parser(text, context);
    if (read !== undefined) return read;
  }
  return plain(text, context);
}

function plain(text: string, context: LineContext): Draft {
  const draft = newDraft(text);
  const time = isoTime(text.charCodeAt(0) === 91 ? text.slice(1, 64) : text.slice(0, 64), context);
  if (time === undefined) return draft;
  draft.timeMs = time.ms;
  draft.assumed = time.assumed;
  return draft;
}
