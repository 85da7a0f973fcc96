// kafka.ts — a real Kafka (KRaft) on loopback for tests: the one of WACHE_TEST_KAFKA, else one that we start.
//
// Out:   brokers to connect to, or the reason why there are none (with CI=true that is an error).
// Holds: what we start listens on loopback only and dies with us, however we die: each broker has a small
//        watcher that kills it and removes its data when our end of a pipe closes.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const KAFKA_VERSION = "4.4.0";
const JAVA_MIN = 17;
const READY_MS_MAX = 90_000;
const STOP_MS_MAX = 20_000;
const CACHE = join(import.meta.dirname, "..", "..", ".cache");

export type KafkaNode = {
  readonly id: number;
  readonly broker: string; // host:port
  /** SIGKILL; resolves when the process is gone. */
  kill9(): Promise<void>;
  /** SIGTERM; resolves when the process is gone. */
  stop(): Promise<void>;
  /** Starts it again on the same data and port; resolves when it listens. */
  start(): Promise<void>;
};
export type RunningKafka = {
  readonly brokers: string[];
  readonly nodes: readonly KafkaNode[]; // empty for a Kafka that is not ours
  stop(): Promise<void>;
};

export async function startKafka(
  options: { readonly brokers?: number } = {},
): Promise<RunningKafka | { readonly skip: string }> {
  const count = options.brokers ?? 1;
  const given = process.env.WACHE_TEST_KAFKA;
  if (given !== undefined && given !== "" && count === 1) {
    return {
      brokers: given.split(",").map((part) => part.trim()),
      nodes: [],
      stop: async () => {},
    };
  }
  const reason = missingTool();
  if (reason !== undefined) {
    if (process.env.CI === "true") throw new Error(`Kafka tests must run in CI: ${reason}`);
    return { skip: reason };
  }
  return startCluster(count, resolveJars());
}

function missingTool(): string | undefined {
  const java = spawnSync("java", ["-version"], { encoding: "utf8" });
  if (java.status !== 0) return "no Java: install a JRE of 17 or newer, or set WACHE_TEST_KAFKA";
  const version = Number(/version "(\d+)/.exec(java.stderr)?.[1]);
  if (!(version >= JAVA_MIN)) return `Java ${version} is too old for Kafka ${KAFKA_VERSION}`;
  if (existsSync(jarsDir())) return undefined;
  const maven = spawnSync("mvn", ["-v"], { encoding: "utf8" });
  return maven.status === 0 ? undefined : "no Maven (mvn): install it, or set WACHE_TEST_KAFKA";
}

const jarsDir = () => join(CACHE, `kafka-${KAFKA_VERSION}`);

/** The folder of Kafka's jars; two processes may fill it at once: the first rename counts. */
function resolveJars(): string {
  const done = jarsDir();
  if (existsSync(done)) return join(done, "lib");
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, "kafka-draft-"));
  const jar = (group: string, artifact: string, version: string) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  writeFileSync(
    join(draft, "pom.xml"),
    [
      '<project xmlns="http://maven.apache.org/POM/4.0.0">',
      "<modelVersion>4.0.0</modelVersion>",
      "<groupId>wache.test</groupId><artifactId>kafka</artifactId><version>1</version>",
      "<packaging>pom</packaging><dependencies>",
      jar("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
      jar("org.slf4j", "slf4j-simple", "1.7.36"),
      "</dependencies></project>",
    ].join("\n"),
  );
  const maven = spawnSync(
    "mvn",
    ["-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"],
    { cwd: draft, encoding: "utf8" },
  );
  if (maven.status !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw new Error(`Maven could not fetch Kafka: ${maven.stdout}${maven.stderr}`);
  }
  try {
    renameSync(draft, done);
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(done)) throw new Error(`cannot put ${done} in its place`, { cause });
  }
  return join(done, "lib");
}

type Member = {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
};

async function startCluster(count: number, lib: string): Promise<RunningKafka> {
  const ports = await freePorts(2 * count);
  const members = Array.from({ length: count }, (_, index): Member => {
    const [port = 0, controllerPort = 0] = ports.slice(2 * index);
    return { id: index + 1, port, controllerPort };
  });
  const base = mkdtempSync(join(tmpdir(), "wache-kafka-"));
  const clusterId = randomBytes(16).toString("base64url");
  const nodes = members.map((member) =>
    brokerNode({ member, members, lib, clusterId, dir: join(base, `node-${member.id}`) }),
  );
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(base, { recursive: true, force: true });
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await Promise.all(nodes.map((node) => node.kill9()));
    rmSync(base, { recursive: true, force: true });
    throw error;
  }
  return { brokers: nodes.map((node) => node.broker), nodes, stop };
}

/** Distinct free ports: all are held open at once before the first is given back. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(0, "127.0.0.1", resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

type NodeParts = {
  readonly member: Member;
  readonly members: readonly Member[];
  readonly lib: string;
  readonly clusterId: string;
  readonly dir: string;
};

function brokerNode(parts: NodeParts): KafkaNode {
  const { member, dir } = parts;
  const settings = join(dir, "server.properties");
  const logFile = join(dir, "broker.log");
  let running: { readonly end: (signal: NodeJS.Signals) => Promise<void> } | undefined;

  const format = async () => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(settings, properties(parts));
    const id = `--cluster-id=${parts.clusterId}`; // as one argument: it may begin with a dash
    const args = ["format", id, "-c", settings, "--ignore-formatted"];
    await runJava([...jvm(parts.lib), "kafka.tools.StorageTool", ...args]);
  };
  const start = async () => {
    if (running !== undefined) return;
    if (!existsSync(settings)) await format();
    const log = openSync(logFile, "a");
    const java = spawn("java", [...jvm(parts.lib), "kafka.Kafka", settings], {
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    running = guarded(java, dir);
    await listening(java, member.port, logFile);
  };
  const end = async (signal: NodeJS.Signals) => {
    const was = running;
    running = undefined;
    await was?.end(signal);
  };
  return {
    id: member.id,
    broker: `127.0.0.1:${member.port}`,
    start,
    stop: () => end("SIGTERM"),
    kill9: () => end("SIGKILL"),
  };
}

/** Ties a child's life to ours: the watcher's `read` ends when we are gone, however that came. */
function guarded(child: ChildProcess, dir: string) {
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const watcher = spawn(
    "sh",
    ["-c", 'read _; kill -9 "$1"; rm -rf "$2"', "sh", String(child.pid), dir],
    { stdio: ["pipe", "ignore", "ignore"], detached: true },
  );
  watcher.unref();
  return {
    end: async (signal: NodeJS.Signals) => {
      child.kill(signal);
      const patience = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
      await exited;
      clearTimeout(patience);
      watcher.kill("SIGKILL");
    },
  };
}

async function listening(java: ChildProcess, port: number, logFile: string): Promise<void> {
  const deadline = Date.now() + READY_MS_MAX;
  for (;;) {
    const tail = () => readFileSync(logFile, "utf8").slice(-3000);
    if (java.exitCode !== null || java.signalCode !== null) {
      throw new Error(`Kafka ended at its start:\n${tail()}`);
    }
    if (await portOpen(port)) return;
    if (Date.now() > deadline) throw new Error(`Kafka does not listen on ${port}:\n${tail()}`);
    await sleep(50);
  }
}

const portOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

async function runJava(args: readonly string[]): Promise<void> {
  const java = spawn("java", [...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [java.stdout, java.stderr]) {
    stream.on("data", (chunk) => {
      said += String(chunk);
    });
  }
  const code = await new Promise((resolve, reject) => {
    java.once("error", reject);
    java.once("close", resolve);
  });
  if (code !== 0) throw new Error(`Kafka's storage could not be formatted:\n${said}`);
}

const jvm = (lib: string): string[] => [
  "-Xmx512m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Djava.awt.headless=true",
  "-Djava.net.preferIPv4Stack=true",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
  "-cp",
  join(lib, "*"),
];

function properties({ member, members, dir }: NodeParts): string {
  const replicas = Math.min(members.length, 3);
  const inSync = replicas === 3 ? 2 : 1;
  const voters = members.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`);
  const settings: Readonly<Record<string, string | number | boolean>> = {
    "process.roles": "broker,controller",
    "node.id": member.id,
    "controller.quorum.voters": voters.join(","),
    listeners: `PLAINTEXT://127.0.0.1:${member.port},CONTROLLER://127.0.0.1:${member.controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${member.port}`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "log.dirs": join(dir, "data"),
    "default.replication.factor": replicas,
    "min.insync.replicas": inSync,
    "offsets.topic.replication.factor": replicas,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": inSync,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": replicas,
    "share.coordinator.state.topic.min.isr": inSync,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "auto.create.topics.enable": false,
    "log.cleaner.dedupe.buffer.size": 8_388_608,
    "log.cleaner.backoff.ms": 200,
    // A dead broker is noticed in seconds, so that fault tests stay short.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    "controller.quorum.election.timeout.ms": 500,
    "controller.quorum.fetch.timeout.ms": 1000,
    "replica.lag.time.max.ms": 5000,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
