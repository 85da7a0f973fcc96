// ready.ts — what a started process says to whoever started it.
import type { Ready } from "../core/run.ts";

type Part = { readonly text: string; readonly data: Readonly<Record<string, unknown>> };

/** For people. */
export function readyWords(ready: Ready): string[] {
  const setup = setupLink(ready.address, part(ready, "setup")?.data);
  const syslog = part(ready, "syslog");
  const rules = part(ready, "rules");
  const assets = part(ready, "assets");
  return [
    "",
    `  Wache is ready: ${ready.address}`,
    ...(setup === undefined ? [] : [setupWords(setup)]),
    ...(syslog === undefined ? [] : [`  Syslog: ${syslog.text}`]),
    ...(rules === undefined ? [] : [`  Rules: ${rules.text}`]),
    ...(assets === undefined ? [] : [`  Assets: ${assets.text}`]),
    `  Data: ${ready.dataDir}`,
    "",
  ];
}

/** For scripts. */
export function readyLine(ready: Ready): string {
  const setup = setupLink(ready.address, part(ready, "setup")?.data);
  return JSON.stringify({
    ready: true,
    address: ready.address,
    ...(setup === undefined ? {} : { setup }),
    syslog: part(ready, "syslog")?.data,
    rules: part(ready, "rules")?.data.count,
    assets: part(ready, "assets")?.data.count,
    data: ready.dataDir,
    pid: process.pid,
  });
}

export function setupLink(address: string, data: unknown): string | undefined {
  const path = typeof data === "object" && data !== null && "path" in data ? data.path : undefined;
  return typeof path === "string" ? `${address}${path}` : undefined;
}

export const setupWords = (link: string): string =>
  `  Make the first account (this link works once, and no earlier one does): ${link}`;

function part(ready: Ready, name: string): Part | undefined {
  const state = ready.status.all()[name];
  if (state === undefined) return undefined;
  const data = typeof state.data === "object" && state.data !== null ? state.data : {};
  return { text: state.text, data: data as Readonly<Record<string, unknown>> };
}
