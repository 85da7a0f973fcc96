// http-query.ts — the query parameters of POST /ingest, read and refused in words.
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { STREAM_NAME } from "../streams.ts";

const yes = Type.Union([
  Type.Literal("true"),
  Type.Literal("1"),
  Type.Literal("false"),
  Type.Literal("0"),
]);
const WHOLE = "^[0-9]{1,15}$";

export const ingestQuery = Type.Object(
  {
    stream: Type.Optional(
      Type.String({
        pattern: STREAM_NAME.source,
        description: "the lines belong to this stream, with its own clock: an import",
      }),
    ),
    position: Type.Optional(
      Type.String({
        pattern: WHOLE,
        description: "of the first line in the stream, from 0",
      }),
    ),
    end: Type.Optional(yes),
    page: Type.Optional(yes),
    shift_ms: Type.Optional(Type.String({ pattern: "^-?[0-9]{1,15}$" })),
    year_hint_ms: Type.Optional(Type.String({ pattern: WHOLE })),
    source: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9._-]{1,64}$" })),
    path: Type.Optional(Type.String({ pattern: "^[^\\u0000-\\u001f]{1,1024}$" })),
  },
  { additionalProperties: false },
);
const check = Compile(ingestQuery);

export type IngestQuery = {
  readonly stream?: string;
  readonly position?: number;
  readonly end: boolean;
  readonly page: boolean;
  readonly shiftMs?: number;
  readonly yearHintMs?: number;
  readonly source?: string;
  readonly path?: string;
};

const ALLOWED: Readonly<Record<string, string>> = {
  stream: "letters, digits, dot, dash and underscore, 128 at most, not beginning with a dot",
  position: "a whole number from 0",
  end: "true or false",
  page: "true or false",
  shift_ms: "a whole number of milliseconds",
  year_hint_ms: "a time in milliseconds since 1970",
  source: "letters, digits, dot, dash and underscore, 64 at most",
  path: "the file that the lines are from, 1,024 characters at most",
};

/** A text is what is wrong with it. */
export function readQuery(query: unknown): IngestQuery | string {
  if (!check.Check(query)) return faultOf(query);
  const { stream, position, shift_ms, year_hint_ms, source, path } = query;
  if (stream === "live") return 'the stream may not be called "live": that is what has no stream';
  if (stream === undefined && (position !== undefined || query.end !== undefined))
    return "position and end belong to a stream: say stream=NAME too";
  return {
    end: isYes(query.end),
    page: isYes(query.page),
    ...(stream === undefined ? {} : { stream }),
    ...(position === undefined ? {} : { position: Number(position) }),
    ...(shift_ms === undefined ? {} : { shiftMs: Number(shift_ms) }),
    ...(year_hint_ms === undefined ? {} : { yearHintMs: Number(year_hint_ms) }),
    ...(source === undefined ? {} : { source }),
    ...(path === undefined ? {} : { path }),
  };
}

const isYes = (value: string | undefined): boolean => value === "true" || value === "1";

function faultOf(query: unknown): string {
  const given = Object.entries((query ?? {}) as Record<string, unknown>);
  for (const [name, value] of given) {
    const allowed = Object.hasOwn(ALLOWED, name) ? ALLOWED[name] : undefined;
    if (allowed === undefined)
      return `there is no parameter "${name.slice(0, 40)}"; there are ${Object.keys(ALLOWED).join(", ")}`;
    if (!check.Check({ [name]: value }))
      return `${name} is "${String(value).slice(0, 40)}"; allowed: ${allowed}`;
  }
  return `the parameters cannot be read; there are ${Object.keys(ALLOWED).join(", ")}`;
}
