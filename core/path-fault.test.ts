import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { pathFault } from "./path-fault.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-path-"));
afterAll(() => rmSync(folder, { recursive: true }));
symlinkSync(join(folder, "round"), join(folder, "round"));
const noRight = (path: string) => (): never => {
  throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES", path });
};
const READ = (path: string) => readFileSync(path);
const RIGHT = /^this user has no right to it; change its rights/;

test.for([
  { name: "none", path: join(folder, "none"), work: READ, want: /^there is no such file or fold/ },
  { name: "a folder", path: folder, work: READ, want: /^it is a folder; name a file$/ },
  { name: "a circle", path: join(folder, "round"), work: READ, want: /^its links lead round/ },
  { name: "long", path: join(folder, "a".repeat(300)), work: READ, want: /^the path is too long/ },
  { name: "a file above", path: "/dev/null/x", work: READ, want: /^a part of the path is a file/ },
  {
    name: "a file for a folder",
    path: "/dev/null",
    work: readdirSync,
    want: /^a part of the path/,
  },
  {
    name: "a file in its place",
    path: "/dev/null",
    work: mkdirSync,
    want: /^a file is in its pla/,
  },
  { name: "no right", path: "a/b", work: noRight("a/b"), want: RIGHT },
  { name: "no right, written otherwise", path: "a/./b/", work: noRight("a/b"), want: RIGHT },
  {
    name: "no right below",
    path: "a",
    work: noRight("a/b"),
    want: /^a\/b: this user has no right/,
  },
  {
    name: "no gzip",
    path: "x.gz",
    work: () => gunzipSync(Buffer.from("\x1f\x8b\x08garbage", "latin1")),
    want: /^it begins as gzip does, but is damaged/,
  },
  {
    name: "gzip without its end",
    path: "x.gz",
    work: () => gunzipSync(Buffer.from("\x1f\x8b\x08", "latin1")),
    want: /^it begins as gzip does, but is damaged/,
  },
  {
    name: "what has no words",
    path: "x",
    work: (): never => {
      throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
    },
    want: /^EIO: i\/o error, read$/,
  },
  {
    name: "a prototype's name",
    path: "x",
    work: (): never => {
      throw Object.assign(new Error("odd"), { code: "constructor" });
    },
    want: /^odd$/,
  },
])("$name: said in words", ({ path, work, want }) => {
  let said = "";
  try {
    work(path);
  } catch (error) {
    said = pathFault(error, path);
  }
  expect(said).toMatch(want);
});
