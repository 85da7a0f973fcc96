// worker-calls.ts — functions that run in a worker, called as if they were here.
//
// Holds: a call is answered exactly once; a failure is answered with its code and words; when the worker ends, every
//        call that waits is refused.
import { type MessagePort, Worker } from "node:worker_threads";
import { messageOf, UserError } from "./errors.ts";

type Calls = Readonly<Record<string, (...args: never[]) => unknown>>;
type Request = {
  readonly number: number;
  readonly call: string;
  readonly args: readonly unknown[];
};
type Answer = {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: { readonly code?: string; readonly message: string };
};

/** What the caller sees of calls of this type. */
export type Caller<Of> = {
  readonly call: <Name extends keyof Of & string>(
    name: Name,
    ...args: Of[Name] extends (...args: infer Args) => unknown ? Args : never
  ) => Promise<Awaited<Of[Name] extends (...args: never[]) => infer Result ? Result : never>>;
  readonly close: () => Promise<void>;
};

/** Answers calls that come by the port; the one named `close` is the last. `explain` may put a failure in better words. */
export function answerCalls(
  port: MessagePort,
  calls: Calls,
  explain: (error: unknown) => UserError | undefined = () => undefined,
): void {
  port.on("message", ({ number, call, args }: Request) => {
    const answer = (result: Omit<Answer, "number">) => port.postMessage({ number, ...result });
    Promise.resolve()
      .then(() => calls[call]?.(...(args as never[])))
      .then(
        (value) => {
          answer({ value });
          if (call === "close") port.close();
        },
        (cause: unknown) => {
          const error = explain(cause) ?? cause;
          const code = error instanceof UserError ? { code: error.code } : {};
          answer({ error: { ...code, message: messageOf(error) } });
        },
      );
  });
}

/** Starts a worker that answers calls of this type; `what` names it in errors. */
export function startWorker<Of>(
  what: string,
  { url, data }: { readonly url: URL; readonly data: unknown },
): Caller<Of> {
  const worker = new Worker(url, { workerData: data });
  const waiting = new Map<
    number,
    { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void }
  >();
  let last = 0;
  let gone: Error | undefined;
  const fail = (error: Error) => {
    gone ??= error; // why it ended, not that it did
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  worker.on("error", (error) =>
    fail(new UserError("worker.ended", `${what} ended: ${messageOf(error)}`, { cause: error })),
  );
  worker.on("exit", () => fail(new UserError("worker.closed", `${what} is closed`)));
  worker.on("message", ({ number, value, error }: Answer) => {
    const caller = waiting.get(number);
    waiting.delete(number);
    if (error?.code !== undefined) caller?.reject(new UserError(error.code, error.message));
    else if (error) caller?.reject(new UserError("worker.failed", error.message));
    else caller?.resolve(value as never);
  });
  const call: Caller<Of>["call"] = (name, ...args) =>
    new Promise((resolve, reject) => {
      if (gone) {
        reject(gone);
        return;
      }
      const number = ++last;
      waiting.set(number, { resolve, reject });
      worker.postMessage({ number, call: name, args } satisfies Request);
    });
  const close = async () => {
    if (gone) return;
    await call("close" as never, ...([] as never));
    await worker.terminate();
  };
  return { call, close };
}

/** The file beside a module, with the module's own ending: in the packed package the worker is what tsc made of it. */
export const besideModule = (module: string, name: string): URL =>
  new URL(`./${name}.${module.endsWith(".ts") ? "ts" : "js"}`, module);
