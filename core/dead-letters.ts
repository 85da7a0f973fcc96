// dead-letters.ts — reads the dead letters back: the newest first, each once, so that people see them and can replay them.
//
// In:    all partitions of wache.dead-letter as they are now, and which letters are wished for.
// Out:   a page of them, and a cursor where older ones follow.
// Holds: memory is bounded by the page, whatever the topic holds; of a letter that came twice the newest record counts.
import type { Bus } from "./bus/bus.ts";
import { UserError } from "./errors.ts";
import { isObject } from "./json.ts";
import { type DeadLetter, TOPIC } from "./records.ts";

export type LettersWish = {
  readonly limit: number; // >= 1
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly code?: string | undefined;
  readonly ids?: ReadonlySet<string> | undefined; // no others
  readonly cursor?: string | undefined; // of the page before, with the same wish
};
export type LettersPage = { readonly items: readonly DeadLetter[]; readonly cursor?: string };

const PAGE_CHARS_MAX = 16_777_216; // of the letters' texts; the first one is always given

export async function readDeadLetters(
  bus: Pick<Bus, "partitions" | "read">,
  wish: LettersWish,
): Promise<LettersPage> {
  const isWanted = wanted(wish);
  const newest = new Newest(wish.limit);
  for (let partition = 0; partition < bus.partitions(TOPIC.deadLetter); partition++)
    for await (const { value } of bus.read(TOPIC.deadLetter, partition, 0))
      if (isLetter(value) && isWanted(value)) newest.add(value);
  return newest.page();
}

/** A letter's place in the list: by its time, then by its id. */
type Place = Pick<DeadLetter, "atMs" | "id">;

function wanted({ fromMs, toMs, code, ids, cursor }: LettersWish): (letter: DeadLetter) => boolean {
  const last = cursor === undefined ? undefined : placeOf(cursor);
  return (letter) =>
    (fromMs === undefined || letter.atMs >= fromMs) &&
    (toMs === undefined || letter.atMs <= toMs) &&
    (code === undefined || letter.code === code) &&
    (ids === undefined || ids.has(letter.id)) &&
    (last === undefined || newerFirst(last, letter) < 0);
}

function newerFirst(a: Place, b: Place): number {
  if (a.atMs !== b.atMs) return b.atMs - a.atMs;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

const cursorOf = ({ atMs, id }: Place): string => `${atMs}.${id}`;

function placeOf(cursor: string): Place {
  const [, atMs, id] = /^([0-9]{1,16})\.(.+)$/s.exec(cursor) ?? [];
  if (atMs !== undefined && id !== undefined) return { atMs: Number(atMs), id };
  throw new UserError(
    "dead-letter.cursor",
    "the cursor is none that a list of dead letters gave; leave it out to begin again",
  );
}

/** The topic is open to whoever may write to the bus: what is no letter is passed over. */
function isLetter(value: unknown): value is DeadLetter {
  if (!isObject(value)) return false;
  const { kind, id, source, reason, code, atMs, raw } = value;
  return (
    kind === "dead-letter" &&
    [id, source, reason, code, raw].every((text) => typeof text === "string") &&
    Number.isFinite(atMs)
  );
}

/** Keeps what a page can hold, and somewhat more until it is sorted out. */
class Newest {
  readonly #limit: number;
  #letters = new Map<string, DeadLetter>();
  #chars = 0;
  #floor: Place | undefined; // the newest that had no room: older ones do not get before it

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(letter: DeadLetter): void {
    if (this.#floor !== undefined && newerFirst(letter, this.#floor) >= 0) return;
    const known = this.#letters.get(letter.id);
    if (known !== undefined) {
      if (known.atMs >= letter.atMs) return;
      this.#chars -= charsOf(known);
    }
    this.#letters.set(letter.id, letter);
    this.#chars += charsOf(letter);
    if (this.#letters.size > 2 * this.#limit || this.#chars > 2 * PAGE_CHARS_MAX) this.#sortOut();
  }

  page(): LettersPage {
    this.#sortOut();
    const items = [...this.#letters.values()];
    const last = items.at(-1);
    return this.#floor && last !== undefined ? { items, cursor: cursorOf(last) } : { items };
  }

  #sortOut(): void {
    const sorted = [...this.#letters.values()].sort(newerFirst);
    this.#letters = new Map();
    this.#chars = 0;
    for (const letter of sorted) {
      const chars = this.#chars + charsOf(letter);
      const isFull = this.#letters.size >= this.#limit || chars > PAGE_CHARS_MAX;
      if (isFull && this.#letters.size > 0) {
        this.#floor = letter;
        return;
      }
      this.#letters.set(letter.id, letter);
      this.#chars = chars;
    }
  }
}

const charsOf = ({ raw, reason }: DeadLetter): number => raw.length + reason.length;
