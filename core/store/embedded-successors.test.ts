import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { documentFile } from "./embedded-documents.ts";
import { SUCCESSORS } from "./embedded-successors.ts";

function folderOf(): { readonly folder: string; readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), "wache-documents-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return { folder, path: join(folder, "documents.db") };
}

test("a file from before findings were found by what they took in learns it", () => {
  const { folder, path } = folderOf();
  const old = new DatabaseSync(path);
  old.exec(`CREATE TABLE documents(collection TEXT, id TEXT, revision INTEGER, body TEXT,
    PRIMARY KEY(collection, id)) WITHOUT ROWID`);
  const put = old.prepare("INSERT INTO documents VALUES (?, ?, 1, ?)");
  put.run("findings", "b", '{"lastMs":1,"supersedes":["a"]}');
  put.run("findings", "d", '{"lastMs":1,"supersedes":"["}');
  put.run("incidents", "i", '{"lastMs":1,"supersedes":["c"]}');
  old.close();
  for (const _ of ["filled", "opened again"]) {
    const file = documentFile(folder);
    expect(file.supersededBy(["a", "c", "["])).toEqual(new Map([["a", "b"]]));
    file.close();
  }
});

test("what is read follows the ids that are asked for, not the findings that are kept", () => {
  const { folder, path } = folderOf();
  documentFile(folder).close();
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${SUCCESSORS}`).all({ ids: "[]" });
  const details = steps.map(({ detail }) => String(detail));
  expect(details).toContain("SEARCH successors USING PRIMARY KEY (gone=?)");
  expect(details.filter((detail) => detail.startsWith("SCAN"))).toEqual([
    expect.stringContaining("json_each"),
  ]);
});
