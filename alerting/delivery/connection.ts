// connection.ts — why a connection failed, in words that help an operator, and whether anything can have been sent by then.
import { messageOf } from "../../core/errors.ts";

type ConnectionError = {
  readonly code?: unknown;
  readonly originalCode?: unknown; // the mail library keeps the system's code there
  readonly syscall?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
};

/** Of our own look at the other side's certificate, and of a handshake that one of the sides ended. */
const BEFORE_SENDING = new RegExp(
  `^(${[
    ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"],
    ...["CERT_[A-Z_]+", "DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN"],
    ...["UNABLE_TO_(VERIFY|GET|DECRYPT|DECODE)_[A-Z_]+", "INVALID_CA", "PATH_LENGTH_EXCEEDED"],
    ...["INVALID_PURPOSE", "HOSTNAME_MISMATCH", "ERR_TLS_CERT_ALTNAME_INVALID"],
    ...["ERR_SSL_UNSUPPORTED_PROTOCOL", "ERR_SSL_[A-Z0-9]+_ALERT_PROTOCOL_VERSION"],
    ...["ERR_SSL_[A-Z0-9]+_ALERT_HANDSHAKE_FAILURE"],
  ].join("|")})$`,
);
const CUT_SHORT = /before secure TLS connection was established$/;
const UNKNOWN_AUTHORITY =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?)$/;
const NODES_ADVICE = /; if the root CA is installed locally, try running Node\.js with .*$/s;
const ADVICE =
  "; if you trust its authority, put that one's certificate into a file and start Wache with NODE_EXTRA_CA_CERTS=FILE in its environment";

/** Whether the connection surely failed before a byte of the message left. */
export function isBeforeSending(error: unknown): boolean {
  if (error instanceof AggregateError)
    return error.errors.length > 0 && error.errors.every(isBeforeSending);
  const { syscall, message } = (error ?? {}) as ConnectionError;
  if (syscall === "connect" || syscall === "getaddrinfo") return true;
  return BEFORE_SENDING.test(codeOf(error)) || CUT_SHORT.test(String(message));
}

export function connectionWords(error: unknown): string {
  if (error instanceof AggregateError)
    return [...new Set(error.errors.map(connectionWords))].join("; ");
  const code = codeOf(error);
  const { reason } = (error ?? {}) as ConnectionError;
  if (code.startsWith("ERR_SSL_") && typeof reason === "string") return `TLS failed: ${reason}`;
  const text = messageOf(error).replace(NODES_ADVICE, "");
  return UNKNOWN_AUTHORITY.test(code) ? `${text}${ADVICE}` : text;
}

function codeOf(error: unknown): string {
  const { code, originalCode } = (error ?? {}) as ConnectionError;
  return String(originalCode ?? code ?? "");
}
