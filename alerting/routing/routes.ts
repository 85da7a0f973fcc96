// routes.ts — which channels an incident of a severity goes to.
import type { Config } from "../../core/config-schema.ts";
import { UserError } from "../../core/errors.ts";
import { LEVELS, type Level } from "../../core/records.ts";

type AlertingConfig = Pick<Config["alerting"], "channels" | "routes">;
export type Route = { readonly minLevel: Level; readonly channels: readonly string[] };

/** Without routes, medium and above go to every channel. A route to a channel that is not there refuses the start. */
export function routesOf(config: AlertingConfig): readonly Route[] {
  const names = Object.keys(config.channels);
  config.routes.forEach((route, index) => {
    const unknown = route.channels.find((name) => !names.includes(name));
    if (unknown === undefined) return;
    throw new UserError(
      "alerting.unknown-channel",
      `alerting.routes[${index}]: there is no channel "${unknown}"; ${
        names.length === 0
          ? "alerting.channels names none; add one there"
          : `alerting.channels names ${names.join(", ")}; use one of these or add it there`
      }`,
    );
  });
  if (config.routes.length > 0) return config.routes;
  return names.length === 0 ? [] : [{ minLevel: "medium", channels: names }];
}

export const rankOf = (level: Level): number => LEVELS.indexOf(level);

/** Each route that the severity reaches sends to its channels; a channel of several routes counts once. */
export function channelsFor(routes: readonly Route[], severity: Level): readonly string[] {
  const reached = routes.filter((route) => rankOf(severity) >= rankOf(route.minLevel));
  return [...new Set(reached.flatMap((route) => route.channels))].sort();
}
