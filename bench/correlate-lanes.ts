// correlate-lanes.ts — the sign-ins and the rules of the correlation benchmark, made from the shared data.
import { spawn } from "node:child_process";
import { createWriteStream, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

export type Lane = { readonly path: string; readonly events: number };

const DOCUMENT = "\n---\n";
const MANY_GROUPS = 1_000_000; // of which each needs some events in a window
const USUAL = { events: 400_000, stepMs: 1 };
const MANY = { events: 4_000_000, stepMs: 0.1 };

/** A file of rules for each kind of correlation alone, and for all together; undefined where the data are not there. */
export function readKinds(data: string, folder: string): Map<string, string> | undefined {
  const path = join(data, "lanes/correlation-rules.yml");
  if (!existsSync(path) || !existsSync(makerIn(data))) return undefined;
  const documents = readFileSync(path, "utf8").split(DOCUMENT);
  const typeOf = (document: string): string | undefined =>
    /^correlation: *\{ *type: (\w+)/m.exec(document)?.[1];
  const detections = documents.filter((document) => typeOf(document) === undefined);
  const kinds = new Map<string, string>();
  for (const document of documents) {
    const type = typeOf(document);
    if (type === undefined) continue;
    const file = join(folder, `${type}.yml`);
    writeFileSync(file, [...detections, document].join(DOCUMENT));
    kinds.set(type, file);
  }
  return kinds.set("all", path);
}

/** The events of so many groups; a file that is there already is taken. */
export async function laneOf(
  groups: number,
  { data, folder }: { readonly data: string; readonly folder: string },
): Promise<Lane> {
  const { events, stepMs } = groups >= MANY_GROUPS ? MANY : USUAL;
  const path = join(folder, `${groups}.ndjson`);
  if (existsSync(path)) return { path, events };
  const args = [makerIn(data), ...[groups, events, stepMs].map(String)];
  const maker = spawn("python3", args, { stdio: ["ignore", "pipe", "inherit"] });
  await pipeline(maker.stdout, createWriteStream(`${path}.part`));
  renameSync(`${path}.part`, path);
  return { path, events };
}

const makerIn = (data: string): string => join(data, "lanes/make-correlation.py");
