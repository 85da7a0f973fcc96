// docs.ts — the pages of docs/ that are made from code; run as a program it writes them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configPage } from "../core/config-docs.ts";
import { packageRoot } from "../core/package-root.ts";
import { ruleSchema } from "../correlator/sigma/schema.ts";
import { cliPage } from "./help.ts";
import { VERBS } from "./verbs.ts";

/** By path in the package. */
export async function madePages(): Promise<Readonly<Record<string, string>>> {
  const verbs = await Promise.all(VERBS.map((entry) => entry.load()));
  return {
    "docs/cli.md": cliPage(verbs),
    "docs/configuration.md": configPage(),
    "docs/schema/wache-rule.json": `${JSON.stringify(ruleSchema, null, 2)}\n`,
  };
}

if (import.meta.main)
  for (const [path, text] of Object.entries(await madePages()))
    writeFileSync(join(packageRoot(), path), text);
