// errors.ts — how the API says no: a status, a stable code, a sentence for people; never a stack trace.
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { Type } from "typebox";

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly statusCode: number;
  readonly code: string;
  readonly detail: Readonly<Record<string, unknown>>;
  constructor(
    statusCode: number,
    code: string,
    message: string,
    options: { readonly detail?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.statusCode = statusCode;
    this.code = code;
    this.detail = options.detail ?? {};
  }
}

export const errorSchema = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String({ description: "stable; listed in docs/errors.md" }),
        message: Type.String({ description: "for people" }),
        column: Type.Optional(
          Type.Integer({ description: "where a query went wrong, 1 is its first character" }),
        ),
      },
      { additionalProperties: true },
    ),
  },
  { description: "what was wrong and what to do" },
);

export const notFound = (what: string): ApiError =>
  new ApiError(404, "api.not-found", `there is no ${what}`);
export const notFoundAnyMore = (what: string): ApiError =>
  notFound(`${what} with this id; it may have been removed`);

export function createErrorAnswer(log: Logger) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const known = asApiError(error, request);
    if (known.statusCode >= 500)
      log.error({ err: error, route: request.routeOptions.url }, "a request to the API failed");
    return answerError(known, reply);
  };
}

function answerError(known: ApiError, reply: FastifyReply) {
  if (known.statusCode === 401) reply.header("www-authenticate", 'Bearer realm="wache"');
  if (known.statusCode === 429) reply.header("retry-after", String(known.detail.retryAfterS ?? 60));
  return reply
    .code(known.statusCode)
    .send({ error: { ...known.detail, code: known.code, message: known.message } });
}

function asApiError(error: FastifyError, request: FastifyRequest): ApiError {
  if (error instanceof ApiError) return error;
  const status = error.statusCode ?? 500;
  if (status === 415) return new ApiError(415, "api.bad-request", unlikeJson(request));
  if (error.validation !== undefined || error.code === "FST_ERR_CTP_EMPTY_JSON_BODY")
    return new ApiError(status === 500 ? 400 : status, "api.bad-request", error.message);
  if (status === 413)
    return new ApiError(413, "api.too-large", "the request's body is too large; send less at once");
  if (status >= 400 && status < 500) return new ApiError(status, "api.bad-request", error.message);
  return new ApiError(
    500,
    "api.internal",
    "this request failed inside Wache; the log says why, under the request's time",
  );
}

function unlikeJson({ headers }: FastifyRequest): string {
  const type = headers["content-type"]?.slice(0, 100);
  const found = type === undefined ? "does not say what it is" : `is ${type}`;
  return `the request's body ${found}; send JSON, with content-type: application/json`;
}
