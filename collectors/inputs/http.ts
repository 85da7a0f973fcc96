// http.ts — POST /ingest: lines and JSON by HTTP, from whoever has a token.
//
// In:    a body of lines or JSON; a token names the source.
// Out:   2xx once every line is durable; a refusal takes nothing.
// Holds: bodies under way are bounded in bytes; a token is compared in constant time; a body that is sent again by its
//        key, its position or its events' own ids adds nothing.
import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { messageOf } from "../../core/errors.ts";
import { idOf, LIVE, type LogSource } from "../../core/event.ts";
import { ownToken } from "../identity.ts";
import { isEmpty, type Line, newTally, type Origin, stampLine, type Tally } from "../stamp.ts";
import { hashOf, STREAM_NAME } from "../streams.ts";
import { bodyOf, isJsonType, unpacked, weigh } from "./http-body.ts";
import { HttpLoad, type Share } from "./http-load.ts";
import { type IngestQuery, readQuery } from "./http-query.ts";
import { count, type Input, type Intake, submitLines } from "./intake.ts";

const BUSY_MS = 5_000;
const RETRY_AFTER_S = "2";
const KEY_CHARS_MAX = 256;

type Sender = {
  readonly name: string;
  readonly digest: Buffer;
  readonly zone?: string;
  readonly logSource?: LogSource;
  readonly isOwn: boolean; // the machine's own token may speak for any source
};
type Refused = { readonly status: number; readonly code: string; readonly message: string };

export async function startHttp(intake: Intake): Promise<Input> {
  const senders = sendersOf(intake);
  const load = new HttpLoad(intake.config.queueBytesMax * 2);
  await intake.context.http.register((app, _options, done) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(
      "*",
      { parseAs: "buffer", bodyLimit: intake.config.http.bodyBytesMax },
      (_request, body, parsed) => parsed(null, body),
    );
    app.setErrorHandler((error: FastifyError, _request, reply) =>
      answerError(intake, error, reply),
    );
    addRoutes(app, { intake, senders, load });
    done();
  });
  return {
    stop: async () => {
      load.stopping = true;
      await Promise.allSettled(load.requests);
    },
  };
}

type Parts = {
  readonly intake: Intake;
  readonly senders: readonly Sender[];
  readonly load: HttpLoad;
};
type Admitted = { readonly sender: Sender; readonly share: Share; work?: Promise<Answer> };

function addRoutes(app: FastifyInstance, parts: Parts): void {
  const { intake, senders, load } = parts;
  const admitted = new WeakMap<FastifyRequest, Admitted>();
  app.addHook("onRequest", async (request, reply) => {
    const sender = senderOf(request.headers.authorization, senders);
    if (sender === undefined) return refuse(reply, UNKNOWN);
    const share = await admit(parts, bytesOf(request, intake.config.http.bodyBytesMax));
    if (share === undefined) return refuse(reply, BUSY);
    // Fastify refuses what is no media type; here everything but JSON is lines, whatever it calls itself.
    const type = request.headers["content-type"];
    request.raw.headers["content-type"] = isJsonType(type) ? "application/json" : "text/plain";
    const known: Admitted = { sender, share };
    admitted.set(request, known);
    // A sender that hangs up takes nothing back: what it sent is in memory until the work is done.
    reply.raw.once("close", () => {
      Promise.resolve(known.work).then(share.release, share.release);
    });
  });
  app.post("/ingest", { bodyLimit: intake.config.http.bodyBytesMax }, async (request, reply) => {
    const known = admitted.get(request);
    if (known === undefined) return refuse(reply, UNKNOWN);
    const work = ingest(parts, known, request);
    known.work = work;
    load.requests.add(work);
    const answer = await work.finally(() => load.requests.delete(work));
    return "refused" in answer ? refuse(reply, answer.refused) : reply.send(answer);
  });
  app.get<{ Params: { name: string } }>("/ingest/streams/:name", async (request, reply) => {
    const { name } = request.params;
    const row = STREAM_NAME.test(name) ? intake.streams.find(name) : undefined;
    const mayAsk = row !== undefined && maySpeakFor(admitted.get(request)?.sender, row.source);
    return reply.send({
      name,
      position: mayAsk ? row.position : 0,
      ended: mayAsk ? row.ended : false,
    });
  });
}

const UNKNOWN: Refused = {
  status: 401,
  code: "ingest.token",
  message:
    "send the token of a source as `Authorization: Bearer TOKEN`; tokens are in collectors.http.sources, this machine's own in ingest.token of the data folder",
};
const BUSY: Refused = {
  status: 503,
  code: "ingest.busy",
  message: "the collector's queue is full; nothing of this request was taken, send it again later",
};

const BUSY_BODY = { kind: "refused", ...BUSY } as const;

/** A question (0 bytes) is always let in. */
async function admit({ intake, load }: Parts, bytes: number): Promise<Share | undefined> {
  if (bytes === 0) return load.admit(0);
  if (load.stopping) return undefined;
  const share = load.admit(bytes);
  if (share === undefined || (await intake.outbox.roomWithin(BUSY_MS))) return share;
  share.release();
  return undefined;
}

function bytesOf(request: FastifyRequest, bytesMax: number): number {
  if (request.method !== "POST") return 0;
  const length = Number(request.headers["content-length"] ?? bytesMax);
  return Number.isFinite(length) ? Math.min(length, bytesMax) : bytesMax;
}

type Answer =
  | {
      readonly accepted: number; // lines that were not empty
      readonly events: number;
      readonly late: number; // events that are kept and not correlated
      readonly dead_letters: number;
      readonly duplicate_stream?: true;
      readonly position?: number;
    }
  | { readonly refused: Refused };

async function ingest(
  { intake, load }: Parts,
  { sender, share }: Admitted,
  request: FastifyRequest,
): Promise<Answer> {
  const query = readQuery(request.query);
  if (typeof query === "string")
    return { refused: { status: 400, code: "ingest.parameter", message: query } };
  const source = query.source ?? sender.name;
  if (!maySpeakFor(sender, source)) return { refused: FOREIGN_SOURCE };
  const key = request.headers["idempotency-key"];
  if (Array.isArray(key) || (key ?? "").length > KEY_CHARS_MAX)
    return { refused: { status: 400, code: "ingest.key", message: KEY_TOO_LONG } };
  const packed = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const { "content-encoding": encoding, "content-type": type } = request.headers;
  const bytes = await load.inTurn(async () => {
    const plain = await unpacked(packed, encoding, intake.config.http.bodyBytesMax);
    if (!Buffer.isBuffer(plain)) return plain;
    const weight = weigh(plain, type);
    if (typeof weight !== "number") return weight;
    return share.grow(weight) ? plain : BUSY_BODY;
  });
  const body = Buffer.isBuffer(bytes) ? bodyOf(bytes, type, intake.config.lineBytesMax) : bytes;
  if (body.kind === "refused") return { refused: body };
  const origin: Origin = {
    feeder: intake.feeder,
    stream: query.stream ?? LIVE,
    source,
    zone: sender.zone ?? intake.zone,
    latenessMs: intake.latenessMs,
    sourcesOf: intake.sourcesOf,
    ...(sender.logSource === undefined ? {} : { logSource: sender.logSource }),
    ...(query.path === undefined ? {} : { path: query.path }),
    ...(query.page && query.stream !== undefined ? { page: true } : {}),
  };
  const job: Job = { intake, query, origin, lines: body.lines, key, packed };
  return query.stream === undefined ? live(job) : stream(job);
}

type Job = {
  readonly intake: Intake;
  readonly query: IngestQuery;
  readonly origin: Origin;
  readonly lines: readonly Line[];
  readonly key: string | undefined;
  readonly packed: Buffer;
};

async function live({ intake, query, origin, lines, key }: Job): Promise<Answer> {
  const tally = newTally();
  const { random } = intake.context;
  await submitLines(intake, {
    input: "http",
    lines,
    tally,
    stamp: (line, index, receiptMs, out) => {
      if (isEmpty(line)) return;
      const moment = {
        receiptMs,
        ...(query.yearHintMs === undefined ? {} : { yearHintMs: query.yearHintMs }),
        ...(query.shiftMs === undefined ? {} : { shiftMs: query.shiftMs }),
        id: key === undefined ? random : keyed(key, origin.source, index),
        clock: () => receiptMs,
      };
      stampLine(line, origin, moment, out);
    },
  });
  return answerOf(lines, tally);
}

const keyed = (key: string, source: string, index: number) => (repeat: number | undefined) =>
  repeat === undefined ? idOf(key, source, index) : idOf(key, source, index, repeat);

async function stream({ intake, query, origin, lines, key, packed }: Job): Promise<Answer> {
  const taken = await intake.streams.take({
    origin,
    lines,
    batchKey: key === undefined ? `body:${hashOf(packed)}` : `key:${key}`,
    end: query.end,
    ...(query.position === undefined ? {} : { position: query.position }),
    ...(query.shiftMs === undefined ? {} : { shiftMs: query.shiftMs }),
    ...(query.yearHintMs === undefined ? {} : { yearHintMs: query.yearHintMs }),
  });
  switch (taken.kind) {
    case "taken": {
      count(intake, "http.stream", taken.tally);
      const answer = answerOf(lines.slice(lines.length - taken.lines), taken.tally);
      const position = taken.position;
      return taken.duplicate
        ? { ...answer, duplicate_stream: true, position }
        : { ...answer, position };
    }
    case "gap":
      return {
        refused: {
          status: 409,
          code: "ingest.position",
          message: `position is ${query.position}, but the stream "${origin.stream}" stands at ${taken.position}: lines between would be missing; go on from ${taken.position}`,
        },
      };
    case "foreign":
      return { refused: FOREIGN_STREAM };
  }
}

const answerOf = (lines: readonly Line[], tally: Tally) => ({
  accepted: lines.reduce((sum, line) => (isEmpty(line) ? sum : sum + 1), 0),
  events: tally.events,
  late: tally.late,
  dead_letters: tally.dead,
});

const KEY_TOO_LONG = `Idempotency-Key: one of at most ${KEY_CHARS_MAX} characters is allowed`;
const FOREIGN_SOURCE: Refused = {
  status: 403,
  code: "ingest.source",
  message:
    "this token may not speak for another source; leave the parameter source out, or use this machine's own token",
};
const FOREIGN_STREAM: Refused = {
  status: 403,
  code: "ingest.stream-of-another",
  message: "the stream belongs to another source; choose another name",
};

const maySpeakFor = (sender: Sender | undefined, source: string): boolean =>
  sender !== undefined && (sender.isOwn || sender.name === source);

function sendersOf(intake: Intake): readonly Sender[] {
  const own = { name: "local", digest: digestOf(ownToken(intake.context)), isOwn: true };
  const others = intake.config.http.sources.flatMap(({ name, token, zone, logSource }) =>
    token === undefined
      ? []
      : [
          {
            name,
            digest: digestOf(token),
            isOwn: false,
            ...(zone === undefined ? {} : { zone }),
            ...(logSource === undefined ? {} : { logSource }),
          },
        ],
  );
  return [own, ...others];
}

/** Looks at every token, so that the time taken tells nothing. */
function senderOf(header: string | undefined, senders: readonly Sender[]): Sender | undefined {
  const [, token] = /^Bearer +(\S{1,4096}) *$/i.exec(header ?? "") ?? [];
  const digest = digestOf(token ?? "");
  let found: Sender | undefined;
  for (const sender of senders) if (timingSafeEqual(sender.digest, digest)) found ??= sender;
  return token === undefined ? undefined : found;
}

const digestOf = (token: string): Buffer => createHash("sha256").update(token).digest();

function refuse(reply: FastifyReply, { status, code, message }: Refused): FastifyReply {
  if (status === BUSY.status) reply.header("retry-after", RETRY_AFTER_S);
  return reply.code(status).send({ error: { code, message } });
}

function answerError(intake: Intake, error: FastifyError, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status === 413)
    return refuse(reply, {
      status,
      code: "ingest.body-too-long",
      message: `the body is longer than ${intake.config.http.bodyBytesMax} bytes; send less at once, or raise collectors.http.bodyBytesMax`,
    });
  if (status < 500)
    return refuse(reply, { status, code: "ingest.request", message: messageOf(error) });
  intake.context.log.error({ err: error }, "POST /ingest failed");
  return refuse(reply, {
    status: 500,
    code: "ingest.failed",
    message: "the collector failed; its log says more",
  });
}
