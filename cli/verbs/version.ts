// version.ts — prints what runs here.
import { packageVersion } from "../../core/package-root.ts";
import { JSON_OPTION } from "../common.ts";
import { flagOf, type Verb } from "../verb.ts";

export const version: Verb = {
  name: "version",
  summary: "print the version",
  usage: "[--json]",
  positionals: { min: 0, max: 0 },
  options: JSON_OPTION,
  examples: [{ line: "wache version", does: "prints, for instance, wache 0.1.0 (node 24.21.0)" }],
  run: async ({ values, out }) => {
    const about = { version: packageVersion(), node: process.versions.node };
    out(
      flagOf(values, "json")
        ? JSON.stringify(about)
        : `wache ${about.version} (node ${about.node})`,
    );
    return 0;
  },
};
