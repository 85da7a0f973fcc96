// embedded-documents.ts — findings, incidents and accounts in one SQLite file: a row a document, as JSON.
//
// Holds: of a document the highest revision stays; what a call gives back as done has been synced to disk.
import { join } from "node:path";
import { checkSort, cursorOf, pageLimit, positionOf } from "./cursor.ts";
import { openDatabase } from "./embedded-file.ts";
import { keepSuccessors, SUCCESSORS } from "./embedded-successors.ts";
import { compareText } from "./leaves.ts";
import { matcher } from "./query-match.ts";
import type { Collection, Document, DocumentSearch, Page } from "./store.ts";

export type DocumentFile = {
  readonly put: (collection: Collection, documents: readonly Document[]) => void;
  readonly replace: (collection: Collection, document: Document, expected: number) => boolean;
  readonly get: (collection: Collection, id: string) => Document | undefined;
  readonly remove: (collection: Collection, id: string) => void;
  readonly search: (collection: Collection, search: DocumentSearch) => Page<Document>;
  readonly supersededBy: (ids: readonly string[]) => ReadonlyMap<string, string>;
  readonly close: () => void;
};

type Row = {
  readonly id: string;
  readonly revision: number;
  readonly body: string;
  readonly key: number | null;
};

export function documentFile(folder: string): DocumentFile {
  const database = openDatabase(join(folder, "documents.db"), 8192);
  database.exec(`CREATE TABLE IF NOT EXISTS documents(collection TEXT, id TEXT, revision INTEGER, body TEXT,
    PRIMARY KEY(collection, id)) WITHOUT ROWID`);
  keepSuccessors(database);
  const put = database.prepare(`INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET revision = excluded.revision, body = excluded.body WHERE excluded.revision > documents.revision`);
  const create = database.prepare(
    "INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const replace = database.prepare(
    "UPDATE documents SET revision = ?, body = ? WHERE collection = ? AND id = ? AND revision = ?",
  );
  const get = database.prepare(
    "SELECT id, revision, body FROM documents WHERE collection = ? AND id = ?",
  );
  const remove = database.prepare("DELETE FROM documents WHERE collection = ? AND id = ?");
  const successors = database.prepare(SUCCESSORS);
  return {
    put: (collection, documents) => {
      database.exec("BEGIN IMMEDIATE");
      try {
        for (const { id, revision, body } of documents)
          put.run(collection, id, revision, JSON.stringify(body));
        database.exec("COMMIT");
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    replace: (collection, { id, revision, body }, expected) => {
      const text = JSON.stringify(body);
      const done =
        expected === 0
          ? create.run(collection, id, revision, text)
          : replace.run(revision, text, collection, id, expected);
      return Number(done.changes) === 1;
    },
    get: (collection, id) => {
      const row = get.get(collection, id);
      return row && documentOf(row as unknown as Row);
    },
    remove: (collection, id) => {
      remove.run(collection, id);
    },
    search: (collection, search) => {
      checkSort(search.sort);
      const key = `json_extract(body, '$.${search.sort}')`;
      database.exec(
        `CREATE INDEX IF NOT EXISTS by_${search.sort} ON documents(collection, ${key} DESC, id)`,
      );
      const after = search.cursor === undefined ? undefined : positionOf(search.cursor);
      const from =
        after === undefined
          ? ""
          : after.key === null
            ? `AND ${key} IS NULL`
            : `AND (${key} <= :from OR ${key} IS NULL)`;
      const rows = database
        .prepare(
          `SELECT id, revision, body, ${key} AS key FROM documents WHERE collection = :collection ${from} ORDER BY ${key} DESC, id`,
        )
        .iterate({ collection, ...(typeof after?.key === "number" && { from: after.key }) });
      return pageOf(rows as Iterable<unknown> as Iterable<Row>, search);
    },
    supersededBy: (ids) => {
      if (ids.length === 0) return new Map();
      const pairs = successors.all({ ids: JSON.stringify(ids) });
      return new Map(pairs.map((pair) => [String(pair["gone"]), String(pair["by"])]));
    },
    close: () => database.close(),
  };
}

function pageOf(rows: Iterable<Row>, search: DocumentSearch): Page<Document> {
  const after = search.cursor === undefined ? undefined : positionOf(search.cursor);
  const isMatch = matcher(search.query);
  const limit = pageLimit(search.limit);
  const found: Row[] = [];
  for (const row of rows) {
    if (after && row.key === after.key && compareText(row.id, after.id) <= 0) continue;
    if (!isMatch(JSON.parse(row.body))) continue;
    found.push(row);
    if (found.length > limit) break;
  }
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(documentOf),
    ...(found.length > limit && last && { cursor: cursorOf(last) }),
  };
}

const documentOf = ({ id, revision, body }: Pick<Row, "id" | "revision" | "body">): Document => ({
  id,
  revision,
  body: JSON.parse(body) as Document["body"],
});
