import { expect, test } from "vitest";
import { tagFault } from "../correlator/attack-tags.ts";
import { coverageOf, coverageRows, navigatorLayer } from "./coverage.ts";

const rule = (title: string, level: "low" | "high", ...tags: string[]) => ({
  ...{ id: title, title, level },
  tags,
});
const RULES = [
  rule(
    "A",
    "low",
    "attack.execution",
    "attack.persistence",
    "attack.t1053.005",
    "attack.T1053.005",
  ),
  rule("B", "high", "attack.execution", "attack.t1053.005", "attack.g0016", "cve.2021-44228"),
  rule("C", "low", "attack.t1110"),
  rule("D", "low", "attack.execution"),
  rule("E", "low", "attack.t1053.005"),
];

test("a row counts the rules that name both, in ATT&CK's order of tactics", () => {
  const { techniques, untagged } = coverageOf(RULES);
  expect(coverageRows(techniques)).toEqual([
    ["execution", "T1053.005", "2", "high"],
    ["persistence", "T1053.005", "1", "low"],
    ["no tactic", "T1053.005", "1", "low"],
    ["no tactic", "T1110", "1", "low"],
  ]);
  expect(untagged).toBe(1);
});

test("a layer for the Navigator has the same rows; what has no tactic goes first", () => {
  expect(navigatorLayer(coverageOf(RULES).techniques, "ours")).toMatchObject({
    ...{ name: "ours", domain: "enterprise-attack", versions: { layer: "4.5" } },
    techniques: [
      { techniqueID: "T1053.005", score: 1, comment: "E", showSubtechniques: true },
      { techniqueID: "T1110", score: 1, comment: "C", showSubtechniques: false },
      { techniqueID: "T1053.005", tactic: "execution", score: 2, comment: "A\nB" },
      { techniqueID: "T1053.005", tactic: "persistence", score: 1, comment: "A" },
    ],
    gradient: { minValue: 0, maxValue: 2 },
  });
  expect(navigatorLayer([], "none")).toMatchObject({ techniques: [], gradient: { maxValue: 1 } });
});

test.for([
  { tag: "attack.t1059", good: true },
  { tag: "attack.t1059.001", good: true },
  { tag: "attack.t1059.1", good: false },
  { tag: "attack.t105", good: false },
  { tag: "attack.T1059", good: false },
  { tag: "attack.defense_evasion", good: false },
  { tag: "attack.stealth", good: true },
  { tag: "attack.g0016", good: true },
  { tag: "attack.ds0017", good: true },
  { tag: "cve.2021-44228", good: true },
  { tag: "cve.44228", good: false },
  { tag: "car.2016-04-005", good: true },
  { tag: "d3fend.d3f-WindowsNtOpenFile", good: true },
  { tag: "detection.threat-hunting", good: true },
  { tag: "detection.other", good: false },
  { tag: "stp.3k", good: true },
  { tag: "stp.6", good: false },
  { tag: "tlp.amber-strict", good: true },
  { tag: "ours.anything", good: true },
  { tag: "attack", good: false },
  { tag: "", good: false },
])("the tag $tag is good: $good", ({ tag, good }) => {
  expect(tagFault(tag) === undefined).toBe(good);
});
