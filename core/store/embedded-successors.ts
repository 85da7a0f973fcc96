// embedded-successors.ts — which findings a later one took in, in a table beside the documents.
//
// Holds: the table follows the documents by triggers, so that both change in one transaction; it is filled once for a file
//        that was made before there was one. A `supersedes` that is no list, or an item of it that is no text, names nothing.
// Why:   a page of findings asks for the successors of its ids: that must cost what the ids do, not what all findings do.
import type { DatabaseSync } from "node:sqlite";

const named = (body: string): string =>
  `json_each(CASE json_type(${body}, '$.supersedes') WHEN 'array' THEN json_extract(${body}, '$.supersedes') ELSE '[]' END)`;
const lastMs = (body: string): string =>
  `CASE WHEN json_type(${body}, '$.lastMs') IN ('integer', 'real') THEN json_extract(${body}, '$.lastMs') END`;
const REMEMBER = `INSERT OR IGNORE INTO successors SELECT one.value, NEW.id, ${lastMs("NEW.body")}
  FROM ${named("NEW.body")} AS one WHERE one.type = 'text';`;
const FORGET = "DELETE FROM successors WHERE by = OLD.id;";

const SCHEMA = `
  CREATE TABLE successors(gone TEXT, by TEXT, lastMs REAL, PRIMARY KEY(gone, by)) WITHOUT ROWID;
  CREATE INDEX successors_by ON successors(by);
  CREATE TRIGGER finding_put AFTER INSERT ON documents WHEN NEW.collection = 'findings' BEGIN ${REMEMBER} END;
  CREATE TRIGGER finding_replaced AFTER UPDATE ON documents WHEN NEW.collection = 'findings' BEGIN ${FORGET} ${REMEMBER} END;
  CREATE TRIGGER finding_removed AFTER DELETE ON documents WHEN OLD.collection = 'findings' BEGIN ${FORGET} END;
  INSERT OR IGNORE INTO successors SELECT one.value, documents.id, ${lastMs("body")}
    FROM documents, ${named("body")} AS one WHERE collection = 'findings' AND one.type = 'text';
  DROP INDEX IF EXISTS superseding;`;

/** Those that ended last come last; one that does not say when comes after them, as in OpenSearch. */
export const SUCCESSORS = `SELECT gone, by FROM successors WHERE gone IN (SELECT value FROM json_each(:ids))
  ORDER BY lastMs NULLS LAST, by`;

/** Makes and fills the table where the file has none. */
export function keepSuccessors(database: DatabaseSync): void {
  const has = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'successors'");
  if (has.get() === undefined) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
}
