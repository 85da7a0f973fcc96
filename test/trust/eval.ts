// eval.ts — what `wache eval` finds in a delivery, with the ids that a stream of a name would have.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wache } from "../house.ts";
import type { Delivery, Found } from "./truth.ts";

export const RULES = join(import.meta.dirname, "rules.yml");

type FindingLine = {
  readonly finding?: string;
  readonly group: { readonly User: string };
  readonly first: string;
  readonly last: string;
  readonly count: number;
};

export async function evaluated(
  { file, lateness }: Pick<Delivery, "file" | "lateness">,
  stream?: string,
): Promise<readonly Found[]> {
  const dir = mkdtempSync(join(tmpdir(), "wache-eval-"));
  try {
    const config = join(dir, "wache.yaml"); // else the one of whoever runs this counted
    writeFileSync(config, "correlator: { shippedRules: false }\n");
    const args = ["--config", config, "--rules", RULES, "--lateness", lateness];
    const named = stream === undefined ? [] : ["--stream", stream];
    const { code, out, error } = await wache("eval", ...args, ...named, file);
    if (code !== 0) throw new Error(`wache eval ended with ${code}: ${error}`);
    return out.split("\n").flatMap((line) => {
      if (!line.startsWith('{"finding"')) return [];
      const { finding: id = "", group, first, last, count } = JSON.parse(line) as FindingLine;
      return [
        { id, user: group.User, firstMs: Date.parse(first), lastMs: Date.parse(last), count },
      ];
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export const linesOf = (file: string): string[] => readFileSync(file, "utf8").trimEnd().split("\n");
