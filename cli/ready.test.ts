import { expect, test } from "vitest";
import type { PartState } from "../core/service.ts";
import { createStatus } from "../core/status.ts";
import { readyLine, readyWords } from "./ready.ts";

const RULES = { ok: true, text: "2 detections and 1 correlations in force", data: { count: 3 } };

test.for<{
  name: string;
  parts: Record<string, PartState>;
  words: readonly string[];
  line: Record<string, unknown>;
}>([
  { name: "no part", parts: {}, words: [], line: {} },
  {
    name: "rules",
    parts: { rules: RULES },
    words: ["  Rules: 2 detections and 1 correlations in force"],
    line: { rules: 3 },
  },
  {
    name: "rules and assets",
    parts: { assets: { ok: true, text: "40 known", data: { count: 40 } }, rules: RULES },
    words: ["  Rules: 2 detections and 1 correlations in force", "  Assets: 40 known"],
    line: { rules: 3, assets: 40 },
  },
])("what is said when ready: $name", ({ parts, words, line }) => {
  const status = createStatus();
  for (const [name, state] of Object.entries(parts)) status.set(name, state);
  const ready = { address: "http://h:1", dataDir: "/d", status };
  const first = "  Wache is ready: http://h:1";
  expect(readyWords(ready)).toEqual(["", first, ...words, "  Data: /d", ""]);
  const whole = { ready: true, address: "http://h:1", ...line, data: "/d", pid: process.pid };
  expect(JSON.parse(readyLine(ready))).toEqual(whole);
});
