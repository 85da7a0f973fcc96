// assets.ts — the inventory: the machines, services and accounts that an organisation has, as rules ask for them.
//
// In:    the text of asset files: one list of assets a document.
// Out:   all assets by name, or every fault with its file, line and column.
// Holds: each name stands once in all files. Every value is text: an asset may be called 10.
import { type Static, Type } from "typebox";
import { checkedDocuments } from "./checked-yaml.ts";
import type { Fault } from "./config-check.ts";
import { lowered } from "./letter-case.ts";

export const CRITICALITIES = ["low", "medium", "high", "critical"] as const;
export type Criticality = (typeof CRITICALITIES)[number];

const closed = { additionalProperties: false } as const;
const word = Type.String({ minLength: 1, maxLength: 256 });
const words = (description: string) => Type.Array(word, { default: [], description });

const inventorySchema = Type.Object(
  {
    assets: Type.Array(
      Type.Object(
        {
          name: Type.String({ ...word, description: "as logs name it" }),
          aliases: words("other names of it in logs: a full host name, an address"),
          criticality: Type.Unsafe<Criticality>(
            Type.Union(
              CRITICALITIES.map((one) => Type.Literal(one)),
              { default: "medium", description: "how much depends on it" },
            ),
          ),
          tags: words("what rules choose it by"),
        },
        closed,
      ),
    ),
  },
  closed,
);

type Inventory = Static<typeof inventorySchema>;
export type Asset = Inventory["assets"][number];
/** Every one of the tags, and this criticality or a higher one. */
export type AssetChoice = { readonly tags: readonly string[]; readonly criticality: Criticality };
export type AssetProblem = { readonly code: string; readonly at: string; readonly message: string };

export function readAssets(files: readonly { readonly path: string; readonly text: string }[]): {
  readonly assets: readonly Asset[];
  readonly problems: readonly AssetProblem[];
} {
  const firsts = new Map<string, string>();
  const documents = files.flatMap((file) =>
    checkedDocuments(file, inventorySchema, {
      ...{ name: "the inventory", scalars: "failsafe" },
      faultsOf: (value) => namedTwice(value as Inventory, file.path, firsts),
    }),
  );
  const whole = documents.filter(({ faults }) => faults.length === 0);
  const assets = whole.flatMap(({ value }) => (value as Inventory).assets);
  return {
    assets: assets.sort((a, b) => (a.name < b.name ? -1 : 1)),
    problems: documents
      .flatMap(({ faults }) => faults)
      .map(({ at, message }) => ({ code: "assets.refused", at, message })),
  };
}

export const chosen = (assets: readonly Asset[], { tags, criticality }: AssetChoice) =>
  assets.filter(
    (asset) =>
      tags.every((tag) => asset.tags.includes(tag)) &&
      CRITICALITIES.indexOf(asset.criticality) >= CRITICALITIES.indexOf(criticality),
  );

/** `firsts`: where each name stands first, in lower case, in the files so far. */
function namedTwice(
  { assets }: Inventory,
  path: string,
  firsts: Map<string, string>,
): readonly Fault[] {
  return assets.flatMap(({ name }, place) => {
    const first = firsts.get(lowered(name));
    firsts.set(lowered(name), first ?? `assets.${place} of ${path}`);
    const text = `is ${JSON.stringify(name)}, as ${first} is called already; name it once`;
    return first === undefined ? [] : [{ path: ["assets", place, "name"], atKey: false, text }];
  });
}
