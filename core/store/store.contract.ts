// store.contract.ts — what every store must do; each adapter calls it.
import { describe, expect, onTestFinished, test } from "vitest";
import type { EcsEvent } from "../event.ts";
import { ALL } from "./query.ts";
import { parseQuery } from "./query-parser.ts";
import type { Document, KeptEvent, Store } from "./store.ts";

export type StoreUnderTest = { readonly store: Store; readonly dispose: () => Promise<void> };

const T0 = Date.UTC(2026, 0, 5, 8);
const event = (
  id: string,
  atMs: number,
  more: Readonly<Record<string, unknown>> = {},
  stream = "live",
): EcsEvent =>
  ({
    "@timestamp": new Date(T0 + atMs).toISOString(),
    event: { id },
    wache: { stream, sources: [] },
    ...more,
  }) as EcsEvent;
const kept = (one: EcsEvent): KeptEvent => ({ event: one, text: JSON.stringify(one) });

const EVENTS: readonly EcsEvent[] = [
  event("e1", 0, {
    message: "Failed password for root from 10.1.2.3",
    source: { ip: "10.1.2.3" },
    user: { name: "root" },
  }),
  event("e2", 1000, {
    message: "Accepted publickey for ann",
    source: { ip: "10.1.3.4", port: 22 },
    user: { name: "Ann" },
  }),
  event("e3", 1000, {
    message: "Failed login",
    source: { ip: "2001:db8::7" },
    user: { name: "bob" },
    http: { response: { status_code: 404 } },
  }),
  event("e4", 86_400_000, { message: "größer als sonst", user: { name: ["carl", "dora"] } }),
  event("i1", 500, { message: "Failed import", user: { name: "root" } }, "import-1"),
];

const QUERIES: readonly (readonly [text: string, ids: readonly string[]])[] = [
  ["", ["e4", "e2", "e3", "i1", "e1"]],
  ["failed", ["e3", "i1", "e1"]],
  ["fail", []],
  ["fail*", ["e3", "i1", "e1"]],
  ['"password for root"', ["e1"]],
  ['"for password"', []],
  ["user.name:root", ["i1", "e1"]],
  ["user.name:ROOT", ["i1", "e1"]],
  ["user.name:roo", []],
  ["user.name:ro*", ["i1", "e1"]],
  ["user.name:RO*", ["i1", "e1"]],
  ["user.name:*OT", ["i1", "e1"]],
  ["user.name:An?", ["e2"]],
  ["user.name:aN?", ["e2"]],
  ["user.name:A?", []],
  ["user.name:dora", ["e4"]],
  ["source.ip:10.1.2.0/24", ["e1"]],
  ["source.ip:10.1.0.0/16", ["e2", "e1"]],
  ["source.ip:2001:db8::/32", ["e3"]],
  ["http.response.status_code:[404 TO 404]", ["e3"]],
  ["http.response.status_code:>404", []],
  ["source.port:*", ["e2"]],
  ["failed AND NOT root", ["e3"]],
  ["accepted OR größer", ["e4", "e2"]],
  ["(ann OR bob) -accepted", ["e3"]],
  ["wache.stream:live AND failed", ["e3", "e1"]],
];

/** The capital sigma is another letter at the end of a word than within one. */
const GREEK = [
  event("g1", 0, { message: "ΟΔΟΣ 7", user: { name: "ΟΔΟΣ-7" } }),
  event("g2", 0, { message: "οδος", user: { name: "οδος" } }),
  event("g3", 0, { message: "ΟΔΟΣΗΜΑ", user: { name: "οδοσημα" } }),
];
const GREEK_QUERIES: typeof QUERIES = [
  ["ΟΔΟΣ", ["g1", "g2"]],
  ["οδοσ", ["g1", "g2"]],
  ["ΟΔΟΣ*", ["g1", "g2", "g3"]],
  ["οδος*", ["g1", "g2", "g3"]],
  ["ΟΔΟΣ?ΜΑ", ["g3"]],
  ["user.name:οδοσ", ["g2"]],
  ["user.name:ΟΔΟΣ*", ["g1", "g2", "g3"]],
  ["user.name:*Σ-7", ["g1"]],
  ["user.name:*ς*", ["g1", "g2", "g3"]],
  ["user.name:ΟΔΟ?*", ["g1", "g2", "g3"]],
  ["user.name:[ΟΔΟΣ TO ΟΔΟΣ-7]", ["g1", "g2"]],
];

function query(text: string) {
  const parsed = parseQuery(text);
  if (!("query" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.query;
}

export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
  const open = async (): Promise<Store> => {
    const { store, dispose } = await make();
    onTestFinished(dispose);
    await store.open();
    return store;
  };
  const ids = async (store: Store, text: string, limit = 100) =>
    (await store.searchEvents({ query: query(text), limit })).items.map((one) => one.event.id);

  describe(name, { timeout: 60_000 }, () => {
    test("events are found by every kind of query, newest first, ties by id", async () => {
      const store = await open();
      await store.putEvents(EVENTS.map(kept));
      await store.refresh();
      const found: [string, string[]][] = [];
      for (const [text] of QUERIES) found.push([text, await ids(store, text)]);
      expect(found).toEqual(QUERIES.map(([text, wanted]) => [text, [...wanted]]));
      expect(await store.countEvents(ALL)).toBe(EVENTS.length);
      expect(await store.countEvents(query("failed"))).toBe(3);
    });

    test("a letter is the same wherever it stands in a word", async () => {
      const store = await open();
      await store.putEvents(GREEK.map(kept));
      await store.refresh();
      const found: [string, string[]][] = [];
      for (const [text] of GREEK_QUERIES) found.push([text, await ids(store, text)]);
      expect(found).toEqual(GREEK_QUERIES);
    });

    test("what came too late is found by its mark, in any form and with other conditions", async () => {
      const store = await open();
      const marked = (id: string, mark: object) => ({
        ...event(id, 0, { message: "late true" }),
        ...(mark as EcsEvent),
      });
      const wache = { stream: "live", sources: [], clockMs: 5 };
      await store.putEvents(
        [
          marked("l1", { wache: { ...wache, late: true } }),
          marked("l2", { wache: { ...wache, clockMs: 9, late: true } }),
          marked("l3", { wache, "wache.late": "True" }),
          marked("l4", { wache: { ...wache, late: false } }),
          marked("l5", { wache }),
        ].map(kept),
      );
      await store.refresh();
      expect(await ids(store, "wache.late:true")).toEqual(["l1", "l2", "l3"]);
      expect(await ids(store, "wache.late:true AND wache.clockMs:>=9")).toEqual(["l2"]);
      expect(
        await ids(store, "wache.late:true AND (wache.clockMs:>=9 OR NOT wache.stream:live)"),
      ).toEqual(["l2"]);
      expect(await ids(store, "wache.late:false")).toEqual(["l4"]);
      expect(await ids(store, "NOT wache.late:true")).toEqual(["l4", "l5"]);
    });

    test("an event that comes again, alone or in one batch with itself, changes nothing", async () => {
      const store = await open();
      const [first] = EVENTS;
      if (!first) throw new Error("no event");
      await store.putEvents([kept(first), kept(first)]);
      await store.putEvents([kept({ ...first, message: "changed" }), ...EVENTS.map(kept)]);
      await store.refresh();
      expect(await ids(store, "")).toEqual(["e4", "e2", "e3", "i1", "e1"]);
      expect(await store.getEvents(["e1", "none", "i1"])).toEqual([first, EVENTS[4]]);
    });

    test("pages follow one another without gap or repeat, in both orders, within a time span", async () => {
      const store = await open();
      const many = Array.from({ length: 250 }, (_, n) =>
        event(`n${String(n).padStart(3, "0")}`, Math.floor(n / 7) * 1000, { message: "many" }),
      );
      await store.putEvents(many.map(kept));
      await store.refresh();
      for (const order of ["newest", "oldest"] as const) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.searchEvents({
            query: query("many"),
            limit: 40,
            order,
            ...(cursor && { cursor }),
          });
          seen.push(...page.items.map((one) => one.event.id));
          cursor = page.cursor;
        } while (cursor);
        const sign = order === "newest" ? -1 : 1;
        const wanted = [...many].sort(
          (a, b) =>
            sign * (Date.parse(a["@timestamp"]) - Date.parse(b["@timestamp"])) ||
            (a.event.id < b.event.id ? -1 : 1),
        );
        expect(seen).toEqual(wanted.map((one) => one.event.id));
      }
      const within = await store.searchEvents({
        query: ALL,
        limit: 100,
        fromMs: T0 + 1000,
        toMs: T0 + 2000,
      });
      expect(within.items).toHaveLength(14);
    });

    test("any event is kept and found, whatever its fields", async () => {
      const store = await open();
      const deep = JSON.parse(`${'{"a":'.repeat(60)}1${"}".repeat(60)}`) as unknown;
      const hostile = [
        event("h1", 0, {
          ...(JSON.parse('{"__proto__":{"x":1},"constructor":"c"}') as object),
          message: "hostile",
        }),
        event("h2", 0, { message: "hostile", user: "a string now" }),
        event("h3", 0, { message: "hostile", user: { name: { first: "x" } } }),
        event("h4", 0, { message: "hostile", big: "y".repeat(100_000) }),
        event("h5", 0, { message: "hostile \ud800 surrogate" }),
        event("h6", 0, { message: "hostile", "a..b": 1, "": 2, ".": 3, deep }),
        event("h7", 0, { message: ["hostile", 5, null] }),
      ];
      await store.putEvents(hostile.map(kept));
      await store.refresh();
      expect(await ids(store, "hostile")).toEqual(hostile.map((one) => one.event.id));
    });

    test("of a document the highest revision stays", async () => {
      const store = await open();
      const document = (revision: number, text: string): Document => ({
        id: "d",
        revision,
        body: { text, updatedMs: revision },
      });
      await store.putDocuments("incidents", [document(2, "two")]);
      await store.putDocuments("incidents", [document(1, "one")]);
      await store.putDocuments("incidents", [document(2, "other two")]);
      expect(await store.getDocument("incidents", "d")).toEqual(document(2, "two"));
      await store.putDocuments("incidents", [
        document(3, "three"),
        document(5, "five"),
        document(4, "four"),
      ]);
      expect(await store.getDocument("incidents", "d")).toEqual(document(5, "five"));
      expect(await store.getDocument("findings", "d")).toBeUndefined();
    });

    test("of two who replace the same revision one wins", async () => {
      const store = await open();
      const made = await Promise.all(
        ["a", "b"].map((by) =>
          store.replaceDocument("accounts", { id: "admin", revision: 1, body: { by } }, 0),
        ),
      );
      expect(made.filter(Boolean)).toHaveLength(1);
      const next = await Promise.all(
        ["a", "b"].map((by) =>
          store.replaceDocument("accounts", { id: "admin", revision: 2, body: { by } }, 1),
        ),
      );
      expect(next.filter(Boolean)).toHaveLength(1);
      expect(
        await store.replaceDocument("accounts", { id: "admin", revision: 2, body: {} }, 1),
      ).toBe(false);
      await store.removeDocument("accounts", "admin");
      expect(await store.getDocument("accounts", "admin")).toBeUndefined();
    });

    test("a checkpoint is replaced by whoever read it last, beside documents of its name", async () => {
      const store = await open();
      const at = (revision: number) => ({
        id: "late-events",
        revision,
        body: { clockMs: revision },
      });
      await store.putDocuments("findings", [{ ...at(9), body: { lastMs: 9 } }]);
      expect(await store.getDocument("checkpoints", "late-events")).toBeUndefined();
      expect(await store.replaceDocument("checkpoints", at(1), 0)).toBe(true);
      expect(await store.replaceDocument("checkpoints", at(2), 1)).toBe(true);
      expect(await store.replaceDocument("checkpoints", at(2), 1)).toBe(false);
      expect(await store.getDocument("checkpoints", "late-events")).toEqual(at(2));
    });

    test("documents come in the order of a number, page by page", async () => {
      const store = await open();
      const documents = Array.from({ length: 25 }, (_, n) => ({
        id: `d${String(n).padStart(2, "0")}`,
        revision: 1,
        body: { kind: n % 2 === 0 ? "even" : "odd", updatedMs: Math.floor(n / 3) },
      }));
      await store.putDocuments("findings", documents);
      await store.refresh();
      const pagesOf = async (text: string): Promise<string[]> => {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.searchDocuments("findings", {
            query: query(text),
            sort: "updatedMs",
            limit: 4,
            ...(cursor && { cursor }),
          });
          seen.push(...page.items.map(({ id }) => id));
          cursor = page.cursor;
        } while (cursor);
        return seen;
      };
      const wanted = documents
        .filter(({ body }) => body.kind === "even")
        .sort((a, b) => b.body.updatedMs - a.body.updatedMs || (a.id < b.id ? -1 : 1));
      expect(await pagesOf("kind:even")).toEqual(wanted.map(({ id }) => id));
      expect(await pagesOf("kind:EV?N")).toEqual(wanted.map(({ id }) => id));
    });

    test("findings that a later one took in are told with its id; of several the one that ended last", async () => {
      const store = await open();
      expect(await store.supersededBy(["a"])).toEqual(new Map());
      const finding = (id: string, lastMs: number, supersedes?: readonly string[]): Document => ({
        ...{ id, revision: 1 },
        body: { id, lastMs, ...(supersedes && { supersedes }) },
      });
      await store.putDocuments("findings", [
        finding("C", 30, ["a", "b", "gone"]),
        ...["a", "A", "b", "d"].map((id) => finding(id, 10)),
        finding("c", 20, ["A", "b"]),
      ]);
      await store.putDocuments("incidents", [finding("i", 40, ["d"])]);
      await store.refresh();
      const of = async (...some: string[]) => [...(await store.supersededBy(some))].sort();
      expect(await of("a", "b", "d", "C", "none")).toEqual([
        ["a", "C"],
        ["b", "C"],
      ]);
      expect(await of("A")).toEqual([["A", "c"]]);
      expect(await of()).toEqual([]);
      await store.putDocuments("findings", [{ ...finding("C", 30, ["b"]), revision: 2 }]);
      await store.refresh();
      expect(await of("a", "b")).toEqual([["b", "C"]]);
      await store.removeDocument("findings", "C");
      await store.refresh();
      expect(await of("a", "b")).toEqual([["b", "c"]]);
    });

    test("what a finding took in is a list of ids; what else stands there names nothing", async () => {
      const store = await open();
      const put = (id: string, body: Document["body"]): Document => ({
        ...{ id, revision: 1 },
        body: { id, ...body },
      });
      await store.putDocuments("findings", [
        put("a text", { supersedes: "a" }),
        put("no JSON", { supersedes: "[" }),
        put("a map", { supersedes: { 0: "a" } }),
        put("nothing", { supersedes: null }),
        put("holes", { supersedes: [null, ["x"], "b", "b"] }),
        put("no time", { supersedes: ["c"], lastMs: "x" }),
        put("a time", { supersedes: ["c", "d"], lastMs: 1 }),
      ]);
      await store.refresh();
      expect(await store.supersededBy(["a", "[", "b", "c", "d"])).toEqual(
        new Map([
          ["b", "holes"],
          ["c", "no time"],
          ["d", "a time"],
        ]),
      );
    });

    test("whole indices go once they were last written long enough ago", async () => {
      const store = await open();
      await store.putEvents(EVENTS.map(kept));
      await store.refresh();
      expect(await store.expire(Date.now() - 60_000)).toEqual([]);
      expect(await store.expire(Date.now() + 60_000)).toHaveLength(3);
      await store.refresh();
      expect(await ids(store, "")).toEqual([]);
    });
  });
}
