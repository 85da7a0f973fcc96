// identity.ts — who this collector is, and the machine's own token: made at the first start, the same ever after.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ServiceContext } from "../core/service.ts";

/** The name by which this collector's ticks are known. */
export const feederId = (context: ServiceContext): string =>
  keptSecret(context.dataDir, "feeder.id", context.random);

/** Who can read the data folder may send logs: `wache send` does. */
export const ownToken = (context: ServiceContext): string =>
  keptSecret(context.dataDir, "ingest.token", () => context.random() + context.random());

function keptSecret(dataDir: string, name: string, make: () => string): string {
  const path = join(dataDir, name);
  const kept = readIfThere(path);
  if (kept !== "") return kept;
  const made = make();
  const temporary = `${path}.new`;
  const file = openSync(temporary, "w", 0o600);
  writeSync(file, `${made}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(temporary, path);
  return made;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
