// token.ts — the verbs that make, list and revoke API tokens on the machine.

import { UserError } from "../../core/errors.ts";
import { DAY_MS, isoOf } from "../../core/event.ts";
import { spanMs } from "../../core/spans.ts";
import type { Store } from "../../core/store/store.ts";
import { ROLE_UNLESS_TOLD, ROLES, type Role } from "../../dashboard-api/auth/permissions.ts";
import {
  createToken,
  listTokens,
  revokeToken,
  type TokenAbout,
} from "../../dashboard-api/auth/tokens.ts";
import { CONFIG_OPTIONS, configOf, JSON_OPTION } from "../common.ts";
import { askLocalOk, type LocalCall, nowMs, withStore } from "../local.ts";
import { table } from "../table.ts";
import { type Call, EXIT, flagOf, stringOf, type Values, type Verb } from "../verb.ts";

const options = { ...CONFIG_OPTIONS, ...JSON_OPTION };
const where = "It asks the process that runs with this data folder, or opens the store itself.";

export const tokenCreate: Verb = {
  name: "token create",
  summary: "make an API token for a script",
  usage: "[--role ROLE] [--expires SPAN] NAME",
  text: `The token is printed once and kept as a hash only. ${where}`,
  positionals: { min: 1, max: 1 },
  options: {
    role: {
      type: "string",
      value: "ROLE",
      text: `${ROLES.join(", ")}; ${ROLE_UNLESS_TOLD} unless told`,
    },
    expires: {
      type: "string",
      value: "SPAN",
      text: "how long it holds, as in 12h or 90d; until it is revoked unless told",
    },
    ...options,
  },
  examples: [
    { line: "wache token create --role reader grafana", does: "a token that only reads" },
    {
      line: "wache token create --role analyst --expires 90d chat-bot",
      does: "one that acknowledges and comments, for 90 days",
    },
  ],
  run: async ({ positionals, values, out }) => {
    const [name = ""] = positionals;
    const madeMs = nowMs();
    const holdsMs = holdsMsOf(stringOf(values, "expires"));
    const wish = {
      ...{ name, role: roleOf(stringOf(values, "role")) },
      ...(holdsMs === undefined ? {} : { expiresMs: madeMs + holdsMs }),
    };
    const made = await here(values, {
      call: { method: "POST", path: "/api/tokens", body: wish },
      direct: async (store) => ({ ...(await createToken(store, { ...wish, nowMs: madeMs })) }),
      makesFolder: true,
    });
    out(flagOf(values, "json") ? JSON.stringify(made) : String(made.token));
    return EXIT.ok;
  },
};

export const tokenList: Verb = {
  name: "token list",
  summary: "list API tokens",
  usage: "[--json]",
  text: where,
  positionals: { min: 0, max: 0 },
  options,
  examples: [{ line: "wache token list", does: "ids, names, roles; never the secrets" }],
  run: async (call) => {
    const found = await here(call.values, {
      call: { path: "/api/tokens" },
      direct: async (store) => ({ items: await listTokens(store) }),
    });
    tell(call, (found.items ?? []) as readonly TokenAbout[]);
    return EXIT.ok;
  },
};

export const tokenRevoke: Verb = {
  name: "token revoke",
  summary: "revoke an API token",
  usage: "ID",
  text: where,
  positionals: { min: 1, max: 1 },
  options,
  examples: [{ line: "wache token revoke 0123456789abcdef", does: "it is refused from now on" }],
  exits: { 1: "no token with this id holds" },
  run: async ({ positionals, values, out }) => {
    const [id = ""] = positionals;
    const answer = await here(values, {
      call: { method: "DELETE", path: `/api/tokens/${encodeURIComponent(id)}` },
      direct: async (store) => ({ revoked: await revokeToken(store, { id, nowMs: nowMs() }) }),
    });
    if (answer.revoked === false)
      throw new UserError(
        "token.unknown",
        `no token ${id} that still holds; wache token list shows them`,
      );
    out(flagOf(values, "json") ? JSON.stringify({ id, revoked: true }) : `${id} is revoked`);
    return EXIT.ok;
  },
};

/** By the running process where there is one. */
async function here(
  values: Values,
  way: {
    readonly call: LocalCall;
    readonly direct: (store: Store) => Promise<Readonly<Record<string, unknown>>>;
    readonly makesFolder?: boolean;
  },
): Promise<Readonly<Record<string, unknown>>> {
  const config = configOf(values);
  return (await askLocalOk(config.data, way.call)) ?? (await withStore(config, way.direct, way));
}

function roleOf(text: string | undefined): Role {
  if (text === undefined) return ROLE_UNLESS_TOLD;
  const role = ROLES.find((one) => one === text);
  if (role !== undefined) return role;
  throw new UserError("cli.usage", `--role is "${text}", allowed are ${ROLES.join(", ")}`, {
    exitCode: EXIT.usage,
  });
}

const HOLDS_MS_MAX = 36_500 * DAY_MS;

function holdsMsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = spanMs(text);
  if (ms > 0 && ms <= HOLDS_MS_MAX) return ms;
  throw new UserError(
    "cli.usage",
    `--expires is "${text}", allowed is a span up to 36500d; write 12h, 90d`,
    { exitCode: EXIT.usage },
  );
}

function tell({ values, out }: Call, tokens: readonly TokenAbout[]): void {
  if (flagOf(values, "json")) {
    for (const token of tokens) out(JSON.stringify(token));
    return;
  }
  const rows = tokens.map((token) => [
    token.id,
    token.name,
    token.role,
    isoOf(token.createdMs),
    endOf(token),
  ]);
  for (const line of table(["ID", "NAME", "ROLE", "MADE", ""], rows)) out(line);
}

function endOf({ revokedMs, expiresMs }: TokenAbout): string {
  if (revokedMs !== undefined) return `revoked ${isoOf(revokedMs)}`;
  if (expiresMs === undefined) return "";
  return `${expiresMs <= nowMs() ? "expired" : "expires"} ${isoOf(expiresMs)}`;
}
