// commands.ts — what a person asked for goes over the bus like any other input; the answer waits for its effect.
//
// In:    an incident as it is in the store, and what to do with it.
// Out:   a command in the casework topic, then the incident whose timeline names that command.
// Holds: the same request under the same key is one command; waiting ends after `waitMaxMs`.
import type { Bus } from "../core/bus/bus.ts";
import { idOf } from "../core/event.ts";
import { type Command, type Incident, TOPIC } from "../core/records.ts";
import type { ServiceContext } from "../core/service.ts";

const waitMaxMs = 3000;
const pollMs = 40;

/** The key belongs to who sent it, and to that one request: nobody can take another's key from under them. */
export const commandId = (request: {
  readonly key: string;
  readonly by: string;
  readonly incident: string;
  readonly action: Command["action"];
}): string =>
  idOf("command", request.key, request.by, request.incident, JSON.stringify(request.action));

/** The incident after the command, or nothing when its effect is not there in time. */
export async function sendCommand(
  context: Pick<ServiceContext, "store" | "clock"> & { readonly bus: Pick<Bus, "produce"> },
  incident: Incident,
  wish: Pick<Command, "id" | "by" | "action">,
): Promise<Incident | undefined> {
  const { store, bus, clock } = context;
  if (isDone(incident, wish.id)) return incident;
  const value = {
    kind: "command",
    ...wish,
    incident: incident.id,
    key: incident.key,
    atMs: clock.now(),
  } satisfies Command & { key: string };
  await bus.produce([{ topic: TOPIC.casework, key: incident.key, value }]);
  const untilMs = clock.now() + waitMaxMs;
  while (clock.now() < untilMs) {
    const found = (await store.getDocument("incidents", incident.id))?.body;
    const now = found as unknown as Incident | undefined;
    if (now !== undefined && isDone(now, wish.id)) return now;
    await clock.sleep(pollMs);
  }
  return undefined;
}

const isDone = (incident: Incident, commandId: string): boolean =>
  incident.timeline.some((entry) => entry.ref === commandId);
