import { expect, test } from "vitest";
import { loadMappings, shippedMappings } from "../../core/mappings.ts";
import { warningsOf } from "./warnings.ts";

const mappings = await loadMappings([shippedMappings()]);
const ID = "28ad448c-7ba0-5559-ac98-1f15b33367af";
const rule = (head: string, detection = "{ a: { Image: x }, condition: a }"): string =>
  `title: T\n${head}\nlogsource: { product: windows, category: process_creation }\ndetection: ${detection}\n`;
const whole = `id: ${ID}\nlevel: low`;

test.for([
  { name: "a whole rule", text: rule(whole), want: [] },
  { name: "no level", text: rule(`id: ${ID}`), want: ["rule.level-missing 1:1"] },
  { name: "no id", text: rule("level: low"), want: ["rule.id-missing 1:1"] },
  { name: "an id that is no UUID", text: rule("id: one\nlevel: low"), want: ["rule.id-form 2:5"] },
  {
    name: "tags, one twice",
    text: rule(`${whole}\ntags: [attack.t1059, attack.t99, attack.t1059]`),
    want: ["rule.tag 4:22", "rule.tag 4:34"],
  },
  {
    name: "a field that nobody knows, once",
    text: rule(
      whole,
      "{ a: { Imgae|endswith: x }, b: [{ Imgae: y }, { Image: z }], condition: a or b }",
    ),
    want: ["rule.field-unknown 5:19"],
  },
  {
    name: "ECS's own fields",
    text: rule(whole, "{ a: { process.name: x }, condition: a }"),
    want: [],
  },
  { name: "keywords", text: rule(whole, "{ a: [x, y], condition: a }"), want: [] },
  {
    name: "a log source without mappings",
    text: `title: T\n${whole}\nlogsource: { product: ours }\ndetection: { a: { b: 1 }, condition: a }\n`,
    want: [],
  },
  {
    name: "a correlation without level, a filter without level and id",
    text: `title: C\nid: ${ID}\ncorrelation: {}\n---\ntitle: F\nlogsource: { product: windows }\nfilter: {}\n`,
    want: ["rule.level-missing 1:1"],
  },
  {
    name: "what actions lay over a rule is not missed",
    text: `action: global\ntitle: T\nlevel: low\n---\nid: ${ID}\nlogsource: {}\n`,
    want: [],
  },
  { name: "what is no rule", text: "- a\n- b\n", want: [] },
  { name: "what is no YAML", text: "a: [", want: [] },
])("warnings: $name", ({ text, want }) => {
  const found = warningsOf({ path: "r.yml", text, lenient: false }, mappings);
  expect(found.map(({ code, at }) => `${code} ${at.replace("r.yml:", "")}`)).toEqual(want);
});
