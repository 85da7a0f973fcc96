// incidents.ts — the incidents: list, one with its evidence, and what a person does about it.
import type { FastifyInstance } from "fastify";
import { type Static, type TSchema, Type } from "typebox";
import type { Command, Incident } from "../../core/records.ts";
import { ALL, allOf, fieldIs } from "../../core/store/query.ts";
import type { Store } from "../../core/store/store.ts";
import { accountOf } from "../auth/authenticate.ts";
import { commandId, sendCommand } from "../commands.ts";
import { notFoundAnyMore } from "../errors.ts";
import {
  answers,
  eventSchema,
  idParams,
  incidentSchema,
  levelSchema,
  pageOf,
  pageQuery,
  queryText,
  statusSchema,
} from "../schemas.ts";
import type { ApiContext, Routes } from "./api-context.ts";
import { readQuery } from "./query.ts";

const closed = { additionalProperties: false } as const;
const listQuery = Type.Object(
  {
    q: queryText,
    status: Type.Optional(statusSchema),
    severity: Type.Optional(levelSchema),
    replay: Type.Optional(
      Type.Boolean({ description: "only imports' incidents, or none of them" }),
    ),
    ...pageQuery,
  },
  closed,
);
const withEvidence = Type.Object({
  incident: incidentSchema,
  evidence: Type.Array(eventSchema, { description: "in the order of their times" }),
  missing: Type.Array(Type.String(), {
    description: "evidence that is not in the store: not written yet, or its retention is over",
  }),
});
const evidenceMax = 200;
const tags = ["incidents"];

export const incidentRoutes: Routes = (api, context) => {
  const { store } = context;
  api.get<{ Querystring: Static<typeof listQuery> }>(
    "/incidents",
    {
      schema: {
        tags,
        summary: "Incidents, the last changed first",
        querystring: listQuery,
        response: answers(pageOf(incidentSchema)),
      },
    },
    async ({ query: { q, status, severity, replay, limit, cursor } }) => {
      const wanted = allOf(
        status === undefined ? ALL : fieldIs("status", status),
        severity === undefined ? ALL : fieldIs("severity", severity),
        replay === undefined ? ALL : fieldIs("replay", String(replay)),
        readQuery(q),
      );
      const page = await store.searchDocuments("incidents", {
        query: wanted,
        limit,
        sort: "updatedMs",
        ...(cursor === undefined ? {} : { cursor }),
      });
      return { ...page, items: page.items.map((item) => item.body) };
    },
  );
  api.get<{ Params: Static<typeof idParams> }>(
    "/incidents/:id",
    {
      schema: {
        tags,
        summary: "One incident with its evidence",
        params: idParams,
        response: answers(withEvidence),
      },
    },
    async ({ params: { id } }) => showIncident(store, await findIncident(store, id)),
  );
  for (const verb of VERBS) addVerb(api, context, verb);
};

type Verb = {
  readonly name: Command["action"]["do"];
  readonly path: string;
  readonly summary: string;
  readonly body: TSchema;
  readonly actionOf: (body: unknown) => Command["action"];
};
const said = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: "\\S", description: "text that is not blank" });
const VERBS: readonly Verb[] = [
  {
    name: "acknowledge",
    path: "acknowledge",
    summary: "Take the watch over: it is being worked on",
    body: Type.Object({}, closed),
    actionOf: () => ({ do: "acknowledge" }),
  },
  {
    name: "assign",
    path: "assign",
    summary: "Give it to somebody",
    body: Type.Object({ to: said(64) }, closed),
    actionOf: (body) => ({ do: "assign", to: (body as { to: string }).to }),
  },
  {
    name: "comment",
    path: "comment",
    summary: "Write into its timeline",
    body: Type.Object({ text: said(4000) }, closed),
    actionOf: (body) => ({ do: "comment", text: (body as { text: string }).text }),
  },
  {
    name: "close",
    path: "close",
    summary: "Close it, with the reason",
    body: Type.Object({ reason: said(4000) }, closed),
    actionOf: (body) => ({ do: "close", reason: (body as { reason: string }).reason }),
  },
];
const headers = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: "the same request sent again under the same key is done once",
    }),
  ),
});

function addVerb(api: FastifyInstance, context: ApiContext, verb: Verb): void {
  api.post<{ Params: Static<typeof idParams>; Headers: Static<typeof headers> }>(
    `/incidents/:id/${verb.path}`,
    {
      config: { needs: "work" },
      schema: {
        tags,
        summary: verb.summary,
        params: idParams,
        headers,
        body: verb.body,
        response: {
          ...answers(incidentSchema),
          202: Type.Object(
            { accepted: Type.Literal(true), command: Type.String() },
            { description: "it is on the bus and will be done; its effect is not seen so far" },
          ),
        },
      },
    },
    async (request, reply) => {
      const incident = await findIncident(context.store, request.params.id);
      const by = accountOf(request).name;
      const action = verb.actionOf(request.body);
      const key = request.headers["idempotency-key"] ?? context.random();
      const id = commandId({ key, by, incident: incident.id, action });
      const changed = await sendCommand(context, incident, { id, by, action });
      if (changed !== undefined) return changed;
      return reply.code(202).send({ accepted: true, command: id });
    },
  );
}

async function findIncident(store: Store, id: string): Promise<Incident> {
  const found = await store.getDocument("incidents", id);
  if (found === undefined) throw notFoundAnyMore("incident");
  return found.body as unknown as Incident;
}

async function showIncident(store: Store, incident: Incident) {
  const ids = new Set(incident.findings.flatMap((finding) => finding.evidence));
  const wanted = [...ids].slice(0, evidenceMax);
  const found = await store.getEvents(wanted);
  const evidence = found.toSorted((a, b) => a["@timestamp"].localeCompare(b["@timestamp"]));
  const foundIds = new Set(found.map((event) => event.event.id));
  return { incident, evidence, missing: wanted.filter((id) => !foundIds.has(id)) };
}
