// opensearch.ts — a real OpenSearch on loopback for tests: the one of WACHE_TEST_OPENSEARCH, else one that we start.
//
// Out:   its address, or the reason why there is none (with CI=true that is an error).
// Holds: what we start listens on loopback only and dies with us: it ends when our end of its standard input closes.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const VERSION = "3.4.0";
const JAVA_MIN = 21;
const READY_MS_MAX = 120_000;
const CACHE = join(import.meta.dirname, "..", "..", ".cache");
const home = () => join(CACHE, `opensearch-${VERSION}`);

export type RunningOpenSearch = {
  readonly node: string; // URL
  readonly kill9: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export async function startOpenSearch(
  options: { readonly data?: string; readonly port?: number } = {},
): Promise<RunningOpenSearch | { readonly skip: string }> {
  const given = process.env.WACHE_TEST_OPENSEARCH;
  if (given !== undefined && given !== "")
    return { node: given, kill9: async () => {}, stop: async () => {} };
  const java = newestJava();
  const reason =
    java === undefined ? `no Java of ${JAVA_MIN} or newer below /usr/lib/jvm` : missingMaven();
  if (java === undefined || reason !== undefined) {
    if (process.env.CI === "true") throw new Error(`OpenSearch tests must run in CI: ${reason}`);
    return { skip: `${reason}; install it, or set WACHE_TEST_OPENSEARCH` };
  }
  layOut();
  return launch(java, options);
}

/** One of our own that can be killed and started again on its data and port. */
export type RestartableOpenSearch = {
  readonly node: string;
  readonly kill9: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>; // for good
};

export async function startRestartableOpenSearch(): Promise<
  RestartableOpenSearch | { readonly skip: string }
> {
  if (process.env.WACHE_TEST_OPENSEARCH)
    return { skip: "that of WACHE_TEST_OPENSEARCH is not ours to kill" };
  const data = mkdtempSync(join(tmpdir(), "wache-opensearch-"));
  const first = await startOpenSearch({ data });
  if ("skip" in first) return first;
  const { node } = first;
  let running = first;
  return {
    node,
    kill9: () => running.kill9(),
    start: async () => {
      const again = await startOpenSearch({ data, port: Number(new URL(node).port) });
      if (!("skip" in again)) running = again;
    },
    stop: async () => {
      await running.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function newestJava(): string | undefined {
  const root = "/usr/lib/jvm";
  const found = (existsSync(root) ? readdirSync(root) : []).flatMap((name) => {
    const java = join(root, name, "bin", "java");
    if (!existsSync(java) || !existsSync(join(root, name, "bin", "javac"))) return [];
    const said = spawnSync(java, ["-version"], { encoding: "utf8" }).stderr;
    return [{ java, version: Number(/version "(\d+)/.exec(said)?.[1]) }];
  });
  return found.filter(({ version }) => version >= JAVA_MIN).sort((a, b) => b.version - a.version)[0]
    ?.java;
}

function missingMaven(): string | undefined {
  if (existsSync(home()) || spawnSync("mvn", ["-v"]).status === 0) return undefined;
  return "no Maven (mvn)";
}

type Artifact = readonly [group: string, artifact: string, version: string];

/** Lays out a home folder from Maven's artifacts; two processes may do it at once: the first rename counts. */
function layOut(): void {
  if (existsSync(home())) return;
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, "opensearch-draft-"));
  const lib = join(draft, "lib");
  copyJars(draft, lib, [
    ["org.opensearch", "opensearch", VERSION],
    ["org.opensearch", "opensearch-plugin-classloader", VERSION],
    ["org.locationtech.spatial4j", "spatial4j", "0.7"],
    ["org.locationtech.jts", "jts-core", "1.15.0"],
  ]);
  const log4j = readdirSync(lib)
    .map((jar) => /^log4j-jul-(.+)\.jar$/.exec(jar)?.[1])
    .find((version) => version !== undefined);
  copyJars(draft, lib, [
    ["org.apache.logging.log4j", "log4j-api", log4j ?? "2.21.0"],
    ["org.apache.logging.log4j", "log4j-core", log4j ?? "2.21.0"],
  ]);
  const netty = join(draft, "modules", "transport-netty4");
  copyJars(draft, netty, [["org.opensearch.plugin", "transport-netty4-client", VERSION]]);
  const shared = new Set(readdirSync(lib));
  for (const jar of readdirSync(netty)) if (shared.has(jar)) rmSync(join(netty, jar));
  const descriptor = {
    description: "transport-netty4",
    version: VERSION,
    name: "transport-netty4",
    classname: "org.opensearch.transport.Netty4ModulePlugin",
    "java.version": "21",
    "opensearch.version": VERSION,
    "extended.plugins": "",
    "has.native.controller": "false",
  };
  writeFileSync(
    join(netty, "plugin-descriptor.properties"),
    Object.entries(descriptor)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  mkdirSync(join(draft, "plugins"));
  try {
    renameSync(draft, home());
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(home())) throw new Error(`cannot put ${home()} in its place`, { cause });
  }
}

function copyJars(draft: string, folder: string, artifacts: readonly Artifact[]): void {
  const wanted = artifacts.map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  writeFileSync(
    join(draft, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>wache.test</groupId><artifactId>opensearch</artifactId><version>1</version><packaging>pom</packaging><dependencies>${wanted.join("")}</dependencies></project>`,
  );
  const maven = spawnSync(
    "mvn",
    [
      "-B",
      "-q",
      "dependency:copy-dependencies",
      "-DincludeScope=runtime",
      `-DoutputDirectory=${folder}`,
    ],
    { cwd: draft, encoding: "utf8" },
  );
  if (maven.status !== 0)
    throw new Error(`Maven could not fetch OpenSearch: ${maven.stdout}${maven.stderr}`);
}

async function launch(
  java: string,
  { data, port = 0 }: { readonly data?: string; readonly port?: number },
): Promise<RunningOpenSearch> {
  const folder = data ?? mkdtempSync(join(tmpdir(), "wache-opensearch-"));
  const child = spawn(
    java,
    [
      ...[
        "-Xms512m",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Djava.awt.headless=true",
      ],
      ...[
        "--enable-native-access=ALL-UNNAMED",
        "--add-modules=jdk.incubator.vector",
        "-Dlog4j2.disable.jmx=true",
      ],
      ...[
        "-Dlog4j.shutdownHookEnabled=false",
        "-Dio.netty.noUnsafe=true",
        "-Dio.netty.noKeySetOptimization=true",
        "-Dopensearch.distribution.type=tar",
      ],
      ...[
        "-cp",
        join(home(), "lib", "*"),
        join(import.meta.dirname, "OpenSearchLauncher.java"),
        home(),
        folder,
        String(port),
      ],
    ],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const found = await readyPort(child);
  const end = async (stop: () => void) => {
    stop();
    await exited;
    if (data === undefined) rmSync(folder, { recursive: true, force: true });
  };
  return {
    node: `http://127.0.0.1:${found}`,
    kill9: () => end(() => child.kill("SIGKILL")),
    stop: () => end(() => child.kill("SIGKILL")),
  };
}

function readyPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (why: string) => {
      child.kill("SIGKILL");
      reject(new Error(`OpenSearch ${why}:\n${said.slice(-3000)}`));
    };
    const patience = setTimeout(() => fail("is not ready in time"), READY_MS_MAX);
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (line) => {
        said = `${said}${line}\n`.slice(-20_000);
        const port = /^READY (\d+)$/.exec(line)?.[1];
        if (port === undefined) return;
        clearTimeout(patience);
        resolve(Number(port));
      });
    }
    child.once("exit", (code) => {
      clearTimeout(patience);
      fail(`ended with ${code}`);
    });
  });
}
