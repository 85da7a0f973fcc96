// yaml-block.ts — reads the YAML that nearly every rule is written in: block maps and lists, scalars of one line, `|` texts.
//
// In:    the text of a file.
// Out:   its documents; undefined where anything else stands in it, a fault included: then the YAML library reads it.
// Holds: what it reads is what the library would have made of it, offsets too (yaml.test.ts sends files through both).
// Why:   the library takes four tenths of a millisecond a rule: more than all else that loading a rule does.
import type { Entry, Node, ScalarNode, ScalarValue } from "./yaml.ts";

const depthMax = 40;
const keyCharsMax = 1000;

/** Thrown inside the reader only: something that it leaves to the library. */
class Other extends Error {}
const other = new Other("not for this reader");

type Reader = {
  readonly text: string;
  readonly starts: number[]; // of a line's first character that is no space, and no dash once that was read
  readonly ends: number[];
  readonly indents: number[]; // -1: nothing stands on the line
  line: number;
  depth: number;
};

export function blockDocuments(text: string): Node[] | undefined {
  if (/[\t\r\ufeff]/.test(text)) return undefined;
  const reader = readerOf(text);
  const out: Node[] = [];
  try {
    for (skipBlank(reader); reader.line < reader.starts.length; skipBlank(reader)) {
      if (isSeparator(reader)) {
        reader.line += 1;
        continue;
      }
      out.push(block(reader, indentOf(reader)));
      skipBlank(reader);
      if (reader.line < reader.starts.length && !isSeparator(reader)) return undefined;
    }
  } catch (error) {
    if (error === other) return undefined;
    throw error;
  }
  return out;
}

function readerOf(text: string): Reader {
  const reader: Reader = { text, starts: [], ends: [], indents: [], line: 0, depth: 0 };
  for (let from = 0; from <= text.length; ) {
    const newline = text.indexOf("\n", from);
    const end = newline < 0 ? text.length : newline;
    let start = from;
    while (start < end && text.charCodeAt(start) === SPACE) start += 1;
    reader.starts.push(start);
    reader.ends.push(end);
    reader.indents.push(start === end || text.charCodeAt(start) === HASH ? -1 : start - from);
    from = end + 1;
  }
  return reader;
}

const SPACE = 0x20;
const HASH = 0x23;
const DASH = 0x2d;
const COLON = 0x3a;
const SINGLE = 0x27;
const DOUBLE = 0x22;
const PIPE = 0x7c;

const indentOf = (reader: Reader): number => reader.indents[reader.line] ?? -1;
const startOf = (reader: Reader): number => reader.starts[reader.line] ?? 0;
const endOf = (reader: Reader): number => reader.ends[reader.line] ?? 0;

function skipBlank(reader: Reader): void {
  while (reader.line < reader.starts.length && indentOf(reader) < 0) reader.line += 1;
}

/** `---` alone; other marks of documents are not for this reader. */
function isSeparator(reader: Reader): boolean {
  if (indentOf(reader) !== 0) return false;
  const from = startOf(reader);
  const mark = reader.text.slice(from, from + 3);
  if (mark === "..." || reader.text[from] === "%") throw other;
  if (mark !== "---") return false;
  if (reader.text.slice(from + 3, endOf(reader)).trim() !== "") throw other;
  return true;
}

/** The line goes on with a map or list at this indent. */
function block(reader: Reader, indent: number): Node {
  reader.depth += 1;
  if (reader.depth > depthMax) throw other;
  const node = isItem(reader) ? list(reader, indent) : map(reader, indent);
  reader.depth -= 1;
  return node;
}

function isItem(reader: Reader): boolean {
  const start = startOf(reader);
  if (reader.text.charCodeAt(start) !== DASH) return false;
  return start + 1 === endOf(reader) || reader.text.charCodeAt(start + 1) === SPACE;
}

function list(reader: Reader, indent: number): Node {
  const items: Node[] = [];
  const offset = startOf(reader);
  while (indentOf(reader) === indent && isItem(reader) && !isSeparator(reader)) {
    const dash = startOf(reader);
    const from = contentFrom(reader, dash + 1);
    if (from === undefined) {
      reader.line += 1;
      items.push(below(reader, indent, indent + 1) ?? scalar(null, "", dash + 1));
    } else {
      // What stands behind the dash is read as a line of its own, further in.
      reader.starts[reader.line] = from;
      reader.indents[reader.line] = indent + from - dash;
      const nested = isItem(reader) || keyOf(reader) !== undefined;
      items.push(nested ? block(reader, indentOf(reader)) : inline(reader, from, indent));
    }
    skipBlank(reader);
  }
  if (indentOf(reader) > indent) throw other;
  return { kind: "list", items, offset };
}

function map(reader: Reader, indent: number): Node {
  const entries: Entry[] = [];
  const seen = new Set<string>();
  const offset = startOf(reader);
  while (indentOf(reader) === indent && !isSeparator(reader)) {
    const key = isItem(reader) ? undefined : keyOf(reader);
    if (key === undefined || seen.has(key.text)) throw other;
    seen.add(key.text);
    const keyOffset = startOf(reader);
    const from = contentFrom(reader, key.end);
    let value: Node;
    if (from === undefined) {
      reader.line += 1;
      value = below(reader, indent, indent) ?? scalar(null, "", key.end);
    } else value = inline(reader, from, indent);
    entries.push({ key: key.text, keyOffset, value });
    skipBlank(reader);
  }
  if (indentOf(reader) > indent) throw other;
  return { kind: "map", entries, offset };
}

/** The block on the lines below: further in, or a list at `listIndent`. */
function below(reader: Reader, indent: number, listIndent: number): Node | undefined {
  skipBlank(reader);
  const next = indentOf(reader);
  if (next > indent) return block(reader, next);
  if (next === listIndent && next >= 0 && isItem(reader) && !isSeparator(reader))
    return block(reader, next);
  return undefined;
}

/** Where the rest of the line begins; undefined when nothing but a comment stands there. */
function contentFrom(reader: Reader, from: number): number | undefined {
  const { text } = reader;
  const end = endOf(reader);
  let at = from;
  while (at < end && text.charCodeAt(at) === SPACE) at += 1;
  return at === end || (text.charCodeAt(at) === HASH && at > from) ? undefined : at;
}

/** The key that the line begins with, and where its value may begin. */
function keyOf(reader: Reader): { readonly text: string; readonly end: number } | undefined {
  const { text } = reader;
  const start = startOf(reader);
  const end = endOf(reader);
  const first = text.charCodeAt(start);
  const endsKey = (at: number): boolean =>
    text.charCodeAt(at) === COLON && (at + 1 === end || text.charCodeAt(at + 1) === SPACE);
  if (first === SINGLE || first === DOUBLE) {
    const quoted = quotedAt(reader, start);
    let at = quoted.end;
    while (at < end && text.charCodeAt(at) === SPACE) at += 1;
    return endsKey(at) ? { text: quoted.value, end: at + 1 } : undefined;
  }
  let colon = text.indexOf(":", start);
  while (colon >= 0 && colon < end && !endsKey(colon)) colon = text.indexOf(":", colon + 1);
  if (colon < 0 || colon >= end) return undefined;
  const key = text.slice(start, colon).trimEnd();
  if (key.includes(" #")) return undefined;
  if (!startsPlain(key, 0, key.length) || key === "<<" || key.length > keyCharsMax) throw other;
  return { text: key, end: colon + 1 };
}

/** Quoted text on one line: its value, and where it ends. */
function quotedAt(reader: Reader, start: number): { readonly value: string; readonly end: number } {
  const { text } = reader;
  const end = endOf(reader);
  const quote = text.charCodeAt(start);
  let escaped = false;
  for (let at = start + 1; at < end; at += 1) {
    const c = text.charCodeAt(at);
    if (quote === DOUBLE && c === 0x5c) {
      escaped = true;
      at += 1;
    } else if (c === quote) {
      if (quote === SINGLE && text.charCodeAt(at + 1) === SINGLE && at + 1 < end) {
        escaped = true;
        at += 1;
        continue;
      }
      const inner = text.slice(start + 1, at);
      if (!escaped) return { value: inner, end: at + 1 };
      const value = quote === SINGLE ? inner.replaceAll("''", "'") : unescaped(`"${inner}"`);
      return { value, end: at + 1 };
    }
  }
  throw other; // goes on below, or never ends
}

/** The escapes that YAML and JSON share. */
function unescaped(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch (error) {
    if (error instanceof SyntaxError) throw other;
    throw error;
  }
}

/** A value that begins on this line, of an entry or item at `indent`. */
function inline(reader: Reader, from: number, indent: number): Node {
  const { text } = reader;
  const end = endOf(reader);
  const first = text.charCodeAt(from);
  if (first === PIPE) return literal(reader, from, indent);
  if (first === SINGLE || first === DOUBLE) {
    const quoted = quotedAt(reader, from);
    if (contentFrom(reader, quoted.end) !== undefined) throw other;
    reader.line += 1;
    return scalar(quoted.value, quoted.value, from);
  }
  if (!startsPlain(text, from, end)) throw other;
  const rest = text.slice(from, end);
  const comment = rest.indexOf(" #");
  const source = (comment < 0 ? rest : rest.slice(0, comment)).trimEnd();
  if (source.includes(": ") || source.endsWith(":")) throw other;
  reader.line += 1;
  skipBlank(reader);
  if (indentOf(reader) > indent) throw other; // the text goes on below
  return scalar(coreValue(source), source, from);
}

function startsPlain(text: string, from: number, end: number): boolean {
  const first = text[from] ?? " ";
  if (!"-?:,[]{}#&*!|>@`%'\" ".includes(first)) return true;
  const next = from + 1 < end ? text[from + 1] : " ";
  return "-?:".includes(first) && next !== " ";
}

/** YAML's core schema; what is no plain integer is left to the library. */
function coreValue(source: string): ScalarValue {
  if (/^(?:~|null|Null|NULL)$/.test(source)) return null;
  if (/^(?:true|True|TRUE)$/.test(source)) return true;
  if (/^(?:false|False|FALSE)$/.test(source)) return false;
  if (/^[-+]?\d{1,15}$/.test(source)) return Number(source);
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(source)) throw other;
  if (/^0[xo]|^[-+]?\.(?:inf|nan)$/i.test(source)) throw other;
  return source;
}

const scalar = (value: ScalarValue, source: string, offset: number): ScalarNode => ({
  kind: "scalar",
  value,
  source,
  offset,
});

/** The lines below a `|`, as they stand. */
function literal(reader: Reader, from: number, indent: number): Node {
  const { text, starts, ends } = reader;
  const header = text.slice(from, endOf(reader)).trimEnd();
  if (header !== "|" && header !== "|-") throw other;
  const lines: string[] = [];
  let margin = -1;
  for (reader.line += 1; reader.line < starts.length; reader.line += 1) {
    const end = ends[reader.line] ?? 0;
    const lineStart = reader.line === 0 ? 0 : (ends[reader.line - 1] ?? -1) + 1;
    const spaces = (starts[reader.line] ?? 0) - lineStart;
    if (lineStart + spaces === end) {
      if (margin >= 0 ? spaces > margin : spaces > 0) throw other;
      lines.push("");
      continue;
    }
    if (spaces <= indent) break;
    if (margin < 0) margin = spaces;
    if (spaces < margin) throw other;
    lines.push(text.slice(lineStart + margin, end));
  }
  if (margin < 0) throw other;
  while (lines.at(-1) === "") lines.pop();
  const value = lines.join("\n") + (header === "|" ? "\n" : "");
  return scalar(value, value, from);
}
