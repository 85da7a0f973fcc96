// syslog.ts — syslog by UDP and TCP.
//
// In:    datagrams, a message each; TCP streams, framed by syslog-frames.ts.
// Out:   an event a message; each receipt is an event of its own, for syslog has no positions.
// Holds: TCP senders wait while the queue is full, with no more than one chunk of bytes each; datagrams cannot, and those that are dropped are counted and logged.
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { UserError } from "../../core/errors.ts";
import { LIVE } from "../../core/event.ts";
import { type Origin, stampLine } from "../stamp.ts";
import { type Input, type Intake, submitLines } from "./intake.ts";
import { type Framed, SyslogFramer } from "./syslog-frames.ts";
import { lineOf } from "./text.ts";

const PORT = 5514;
const RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;
const SAY_DROPS_EVERY_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;
const SLICE_BYTES = 4096; // framed at once where the queue was full: of a thousand senders each holds as much in lines

export async function startSyslog(intake: Intake): Promise<Input> {
  const { config, context } = intake;
  const { host, udpPort = PORT, tcpPort = PORT } = config.syslog;
  const drops = countDrops(intake);
  const udp = await bindUdp(intake, { host, port: udpPort }, drops);
  let tcp: TcpInput;
  try {
    tcp = await listenTcp(intake, { host, port: tcpPort });
  } catch (error) {
    udp.close();
    throw error;
  }
  const ports = { udpPort: udp.address().port, tcpPort: tcp.port };
  context.status.set("syslog", {
    ok: true,
    text: `listens on ${host}: UDP ${ports.udpPort}, TCP ${ports.tcpPort}`,
    data: ports,
  });
  return {
    stop: async () => {
      await new Promise<void>((resolve) => udp.close(resolve));
      await tcp.stop();
      drops.stop();
    },
  };
}

type Drops = { readonly add: () => void; readonly stop: () => void };

function countDrops({ context, metrics }: Intake): Drops {
  let lines = 0;
  const say = (): void => {
    if (lines === 0) return;
    context.log.warn(
      { lines },
      "UDP messages were dropped: the queue is full (collectors.queueBytesMax); use TCP where nothing may be lost",
    );
    lines = 0;
  };
  const cancel = context.clock.every(SAY_DROPS_EVERY_MS, say);
  return {
    add: () => {
      lines++;
      metrics.dropped("syslog.udp", 1);
    },
    stop: () => {
      cancel();
      say();
    },
  };
}

type Endpoint = { readonly host: string; readonly port: number };

async function bindUdp(intake: Intake, at: Endpoint, drops: Drops): Promise<UdpSocket> {
  const socket = createSocket({
    type: at.host.includes(":") ? "udp6" : "udp4",
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  });
  socket.on("message", (bytes: Buffer, from: RemoteInfo) => {
    if (intake.outbox.isFull) {
      drops.add();
      return;
    }
    const line = lineOf(bytes, intake.config.lineBytesMax);
    take(intake, "syslog.udp", plainAddress(from.address), [line]).catch((error: unknown) => {
      intake.context.log.error({ err: error }, "a datagram could not be taken");
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error) => reject(inUse("UDP", at, error)));
    socket.bind(at.port, at.host, () => {
      socket.removeAllListeners("error");
      socket.on("error", (error) => intake.context.log.error({ err: error }, "syslog by UDP"));
      resolve();
    });
  });
  return socket;
}

type TcpInput = { readonly port: number; readonly stop: () => Promise<void> };

async function listenTcp(intake: Intake, at: Endpoint): Promise<TcpInput> {
  const { context, config, metrics } = intake;
  const open = new Set<Socket>();
  const work = new Set<Promise<void>>();
  const server: Server = createServer({ keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
  server.on("connection", (socket: Socket) => {
    if (open.size >= config.syslog.connectionsMax) {
      metrics.refusedConnections();
      context.log.warn(
        { connections: open.size },
        "a syslog connection was refused: collectors.syslog.connectionsMax is reached",
      );
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    serve(intake, socket, work);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(inUse("TCP", at, error)));
    server.listen(at.port, at.host, () => {
      server.removeAllListeners("error");
      server.on("error", (error) => context.log.error({ err: error }, "syslog by TCP"));
      resolve();
    });
  });
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : at.port,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
      await Promise.all(work);
    },
  };
}

function serve(intake: Intake, socket: Socket, work: Set<Promise<void>>): void {
  const framer = new SyslogFramer(intake.config.lineBytesMax);
  const address = plainAddress(socket.remoteAddress ?? "unknown");
  const send = (lines: readonly Framed[]): void => {
    if (lines.length === 0) return;
    const sent = take(intake, "syslog.tcp", address, lines).catch((error: unknown) => {
      intake.context.log.error({ err: error }, "syslog messages could not be taken");
    });
    work.add(sent);
    const leave = (): void => {
      work.delete(sent);
    };
    sent.then(leave, leave);
  };
  let chunks = 0; // that wait for room
  let waiting: Promise<void> = Promise.resolve();
  const waitAndSend = async (bytes: Buffer): Promise<void> => {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      await intake.outbox.room();
      send(framer.add(bytes.subarray(at, at + SLICE_BYTES)));
    }
    if (--chunks === 0) socket.resume();
  };
  socket.on("data", (bytes: Buffer) => {
    if (chunks === 0 && !intake.outbox.isFull) {
      send(framer.add(bytes));
      return;
    }
    chunks++;
    socket.pause();
    waiting = waiting.then(() => waitAndSend(bytes));
  });
  socket.on("error", () => socket.destroy()); // a reset: what came before it is kept
  socket.on("close", () => {
    const last = waiting.then(() => send(framer.finish()));
    work.add(last);
    last.finally(() => work.delete(last));
  });
}

function take(
  intake: Intake,
  input: string,
  address: string,
  lines: readonly Framed[],
): Promise<void> {
  const { config, context } = intake;
  const origin: Origin = {
    feeder: intake.feeder,
    stream: LIVE,
    source: "syslog",
    zone: config.syslog.zone ?? intake.zone,
    latenessMs: intake.latenessMs,
    sourcesOf: intake.sourcesOf,
    address,
  };
  return submitLines(intake, {
    input,
    lines,
    stamp: (line, _index, receiptMs, out) =>
      stampLine(line, origin, { receiptMs, id: context.random, clock: () => receiptMs }, out),
  });
}

const plainAddress = (address: string): string =>
  address.startsWith("::ffff:") ? address.slice(7) : address;

function inUse(protocol: string, { host, port }: Endpoint, cause: unknown): UserError {
  const code = (cause as NodeJS.ErrnoException).code;
  const key = `collectors.syslog.${protocol.toLowerCase()}Port`;
  const why =
    code === "EADDRINUSE"
      ? "another program uses it"
      : code === "EACCES"
        ? "this user may not open ports below 1024"
        : code === "EADDRNOTAVAIL"
          ? "this machine has no such address"
          : String(code ?? cause);
  return new UserError(
    "collectors.syslog-port",
    `syslog cannot listen on ${protocol} port ${port} of ${host}: ${why}; stop the other program, set ${key} to another port (0 picks a free one), or set collectors.syslog.enabled to false`,
    { cause },
  );
}
