// status.ts — how the parts of this process are, what waits on the bus, and which rules run.
import { join } from "node:path";
import { Type } from "typebox";
import { messageOf } from "../../core/errors.ts";
import { lagOf } from "../lag.ts";
import { answers, ruleSchema } from "../schemas.ts";
import type { ApiContext, Routes } from "./api-context.ts";
import { listRules } from "./rule-files.ts";

const part = Type.Object({
  ok: Type.Boolean({ description: "false: somebody should look; the text says why" }),
  text: Type.String(),
  data: Type.Optional(Type.Unknown()),
});
const statusSchema = Type.Object({
  version: Type.String(),
  uptimeS: Type.Integer(),
  ok: Type.Boolean({ description: "all parts are" }),
  parts: Type.Record(Type.String(), part),
  senders: Type.Object(
    {
      tokenFile: Type.String({ description: "where the token for POST /ingest lies" }),
      syslog: Type.Optional(Type.Object({ host: Type.String(), udpPort: Type.Integer() })),
    },
    { description: "how logs reach this machine" },
  ),
  lag: Type.Array(
    Type.Object({
      group: Type.String(),
      topic: Type.String(),
      records: Type.Integer({
        description: "since the group last committed; stages that keep state commit once a minute",
      }),
    }),
  ),
});
const tags = ["status"];

export const statusRoutes =
  (about: { readonly version: string; readonly startedMs: number }): Routes =>
  (api, context) => {
    api.get(
      "/status",
      { schema: { tags, summary: "How Wache is", response: answers(statusSchema) } },
      async () => {
        const parts = {
          ...partsToShow(context),
          store: await checkPart(`the ${context.store.kind} store answers`, () =>
            context.store.check(),
          ),
          bus: await checkPart(`the ${context.bus.kind} bus answers`, () => context.bus.check()),
        };
        return {
          version: about.version,
          uptimeS: Math.floor((context.clock.now() - about.startedMs) / 1000),
          ok: Object.values(parts).every((state) => state.ok),
          parts,
          senders: sendersOf(context),
          lag: parts.bus.ok ? await lagOf(context.bus) : [],
        };
      },
    );
    api.get(
      "/rules",
      {
        schema: {
          tags: ["rules"],
          summary: "The rules in force",
          response: answers(Type.Object({ items: Type.Array(ruleSchema) })),
        },
      },
      async () => ({ items: await listRules(context) }),
    );
  };

/** The setup part's data are the way in; the rules have a route of their own. */
function partsToShow({ status }: ApiContext) {
  return Object.fromEntries(
    Object.entries(status.all()).map(([name, { ok, text, data }]) => [
      name,
      name === "setup" || name === "rules" || data === undefined
        ? { ok, text }
        : { ok, text, data },
    ]),
  );
}

async function checkPart(well: string, check: () => Promise<void>) {
  try {
    await check();
    return { ok: true, text: well };
  } catch (error) {
    return { ok: false, text: messageOf(error) };
  }
}

function sendersOf({ config, dataDir, status }: ApiContext) {
  const { enabled, host, udpPort = 5514 } = config.collectors.syslog;
  const bound = status.all().syslog?.data as { readonly udpPort?: number } | undefined;
  return {
    tokenFile: join(dataDir, "ingest.token"),
    ...(enabled ? { syslog: { host, udpPort: bound?.udpPort ?? udpPort } } : {}),
  };
}
