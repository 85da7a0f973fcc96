// api.ts — the page's one way to the server; a refusal comes back as an ApiFailure with words to show.
import type { EcsEvent } from "../../../core/event.ts";
import type { Incident, Level, RuleAbout } from "../../../core/records.ts";

export type { EcsEvent, Incident, Level, RuleAbout };
/** What the live list is told of an incident. */
export type IncidentLine = Omit<Incident, "findings" | "timeline">;
export type Account = { readonly name: string; readonly role: string };
export type Page<T> = { readonly items: readonly T[]; readonly cursor?: string };
export type IncidentShown = {
  readonly incident: Incident;
  readonly evidence: readonly EcsEvent[];
  readonly missing: readonly string[];
};
export type StatusPart = { readonly ok: boolean; readonly text: string };
export type Status = {
  readonly version: string;
  readonly uptimeS: number;
  readonly ok: boolean;
  readonly parts: Readonly<Record<string, StatusPart>>;
  readonly lag: readonly {
    readonly group: string;
    readonly topic: string;
    readonly records: number;
  }[];
  readonly senders: {
    readonly tokenFile: string;
    readonly syslog?: { readonly host: string; readonly udpPort: number };
  };
};

export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly status: number; // 0: the server was not reached
  readonly column: number | undefined;
  constructor(
    message: string,
    options: {
      readonly status?: number;
      readonly column?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options);
    this.status = options.status ?? 0;
    this.column = options.column;
  }
}

type Params = Readonly<Record<string, string | number | undefined>>;

/** The window hears this when the session has ended. */
export const SIGNED_OUT = "wache-signed-out";

export const get = <T>(path: string, params: Params = {}): Promise<T> =>
  ask<T>("GET", `${path}${queryOf(params)}`);
export const post = <T>(path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask<T>("POST", path, { body: JSON.stringify(body), headers });
export const remove = (path: string): Promise<void> => ask<void>("DELETE", path);

export const pathOf = (id: string): string => encodeURIComponent(id);

function queryOf(params: Params): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== "") search.set(name, String(value));
  return search.size === 0 ? "" : `?${search}`;
}

async function ask<T>(
  method: string,
  path: string,
  options: { readonly body?: string; readonly headers?: Record<string, string> } = {},
): Promise<T> {
  const { body, headers = {} } = options;
  let response: Response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body }),
    });
  } catch (error) {
    throw new ApiFailure("Wache does not answer; it may be restarting.", { cause: error });
  }
  if (response.status === 204) return undefined as T;
  const answer = (await response.json().catch(() => ({}))) as {
    error?: { message?: string; column?: number };
  };
  if (response.ok) return answer as T;
  if (response.status === 401 && path !== "/session") window.dispatchEvent(new Event(SIGNED_OUT));
  const message = answer.error?.message ?? `Wache answered ${response.status}.`;
  throw new ApiFailure(message, { status: response.status, column: answer.error?.column });
}
