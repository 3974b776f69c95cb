// A session on a thread of its own: the event loop stays free while the graph runs.
//
// ONNX Runtime's JavaScript interface (1.30) cannot stop a run, and ending a thread inside one aborts
// the whole process from C++. So an aborted run is abandoned: its promise rejects at once, the thread
// finishes it unseen and then takes the next. For the same reason a process that exits meanwhile waits
// for the run under way to end.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { UserError } from "../core/index.ts";
import { encodeModel } from "../onnx/index.ts";
import type { ModelSource } from "./model-source.ts";
import type { Feed } from "./port.ts";
import { bindFeeds, bindTargets, deliver, wantedOutputs } from "./run-values.ts";
import { closedError, type Outputs, type RunOptions, type Session } from "./session.ts";
import type { TensorElements, TensorValue } from "./tensor-value.ts";
import {
  BUSY,
  type Face,
  type Fault,
  type FromThread,
  STOP,
  type ThreadData,
  type ToThread,
  type WorkerSessionOptions,
} from "./thread-messages.ts";

/** A `Session` whose graph runs elsewhere. */
export interface WorkerSession extends Session {
  run(feeds: Readonly<Record<string, Feed>>, options?: WorkerRunOptions): Promise<Outputs>;
  /**
   * Takes another model in the place of this one, on the same thread and after the runs under way; its
   * own runs begin when it is there. Throws what `createSession` throws, and keeps the old one then.
   */
  load(source: ModelSource): Promise<void>;
}

export interface WorkerRunOptions extends RunOptions {
  /**
   * "share": fed arrays are copied to the thread, those over a SharedArrayBuffer are used where they
   * are. "give": the memory of fed arrays changes hands without a copy, and they are empty afterwards.
   * Default: share. Outputs always change hands without a copy; `into` arrays over a
   * SharedArrayBuffer are written where they are, others are copied to.
   */
  readonly memory?: "share" | "give";
}

/** A run or a load under way. */
interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
  /** Stops listening to the caller's signal. */
  readonly forget: () => void;
}

type Answer = Extract<FromThread, { kind: "done" | "loaded" }>;

/** Makes a session on a new thread. Errors are those of `createSession`. */
export async function createWorkerSession(
  source: ModelSource,
  options: WorkerSessionOptions = {},
): Promise<WorkerSession> {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const name = typeof source === "string" ? source : options.name;
  const data: ThreadData = {
    source: sendable(source),
    options: name === undefined ? options : { ...options, name },
    state,
  };
  // Not this process's own options: `--input-type` and the like would keep the thread from starting.
  const worker = new Worker(threadFile(), { workerData: data, execArgv: [] });
  waitForAtExit(state);
  const ended = once(worker, "exit").finally(() => doNotWaitFor(state));
  const ready = await firstMessage(worker);
  if (ready.kind !== "ready") {
    await ended;
    throw ready.kind === "refused"
      ? errorOf(ready.fault)
      : new TypeError("a thread spoke too early");
  }
  return sessionOn(worker, ready.face, ended);
}

/** A model as data holds functions, which cannot be sent. */
const sendable = (source: ModelSource): string | Uint8Array =>
  typeof source === "string" || source instanceof Uint8Array ? source : encodeModel(source);

/** In the sources a `.ts` file, in the built package a `.js` file, beside this one. */
function threadFile(): URL {
  const source = new URL("./session-thread.ts", import.meta.url);
  return import.meta.url.endsWith(".ts") ? source : new URL(source.href.replace(/ts$/, "js"));
}

type ThreadState = Int32Array<SharedArrayBuffer>;

/** Threads that may be inside ONNX Runtime when the process exits. */
const alive = new Set<ThreadState>();

function waitForAtExit(state: ThreadState): void {
  if (alive.size === 0) process.on("exit", waitWhileBusy);
  alive.add(state);
}

function doNotWaitFor(state: ThreadState): void {
  alive.delete(state);
  if (alive.size === 0) process.off("exit", waitWhileBusy);
}

/** Blocks until no thread is inside ONNX Runtime, and lets them begin nothing more. */
function waitWhileBusy(): void {
  for (const state of alive) Atomics.store(state, STOP, 1);
  for (const state of alive) {
    while (Atomics.load(state, BUSY) === 1) Atomics.wait(state, BUSY, 1);
  }
}

async function firstMessage(worker: Worker): Promise<FromThread> {
  const [message] = (await Promise.race([once(worker, "message"), failure(worker)])) as [
    FromThread,
  ];
  return message;
}

async function failure(worker: Worker): Promise<never> {
  const [code] = (await once(worker, "exit")) as [number];
  throw new UserError("unsupported", `the engine's thread ended with code ${code}`, {
    hint: "This is often a lack of memory; try a smaller batch.",
  });
}

function sessionOn(worker: Worker, first: Face, ended: Promise<unknown>): WorkerSession {
  let face = first;
  const pending = new Map<number, Pending>();
  let nextId = 0;
  let closed: Promise<void> | null = null;
  const settle = (id: number, act: (run: Pending) => void): void => {
    const run = pending.get(id);
    if (!pending.delete(id)) return;
    // An idle thread does not keep the process alive.
    if (pending.size === 0) worker.unref();
    run?.forget();
    if (run !== undefined) act(run);
  };
  worker.unref();
  worker.on("message", (message: FromThread) => {
    switch (message.kind) {
      case "done":
      case "loaded":
        settle(message.id, ({ resolve }) => resolve(message));
        return;
      case "failed":
        settle(message.id, ({ reject }) => reject(errorOf(message.fault)));
        return;
      case "ready":
      case "refused":
        return;
      default:
        message satisfies never;
    }
  });
  const failAll = (reason: unknown): void => {
    for (const id of [...pending.keys()]) settle(id, ({ reject }) => reject(reason));
  };
  worker.on("error", failAll);
  worker.on("exit", () => failAll(closedError(face.name)));

  const post = (message: ToThread, transfer: ArrayBuffer[] = []): void =>
    worker.postMessage(message, transfer);
  const close = async (): Promise<void> => {
    if (closed === null) {
      worker.ref();
      post({ kind: "close" });
      closed = ended.then(() => undefined);
    }
    return closed;
  };
  const ask = (
    message: Extract<ToThread, { kind: "run" | "load" }>,
    { signal, transfer = [] }: { readonly signal?: AbortSignal; readonly transfer?: ArrayBuffer[] },
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const abort = (): void => {
        post({ kind: "skip", id: message.id });
        settle(message.id, (run) => run.reject(signal?.reason));
      };
      const forget = (): void => signal?.removeEventListener("abort", abort);
      post(message, transfer);
      worker.ref();
      pending.set(message.id, { resolve, reject, forget });
      signal?.addEventListener("abort", abort, { once: true });
    });
  return {
    get name() {
      return face.name;
    },
    get inputs() {
      return face.inputs;
    },
    get outputs() {
      return face.outputs;
    },
    get settings() {
      return face.settings;
    },
    async run(feeds, options = {}) {
      const { name, inputs, outputs } = face;
      if (closed !== null) throw closedError(name);
      const { signal, memory = "share", ...rest } = options;
      signal?.throwIfAborted();
      const fed = Object.fromEntries(bindFeeds(inputs, feeds, name));
      const into = bindTargets(outputs, rest.into ?? {}, name);
      const message: ToThread = {
        kind: "run",
        id: nextId++,
        feeds: fed,
        outputs: wantedOutputs(outputs, rest.outputs, into, name),
        into: Object.fromEntries([...into].filter(([, { data }]) => isShared(data))),
      };
      const answer = await ask(message, {
        transfer: memory === "give" ? ownBuffers(fed) : [],
        ...(signal === undefined ? {} : { signal }),
      });
      const away = new Map([...into].filter(([, { data }]) => !isShared(data)));
      return delivered(answer, away, name);
    },
    async load(source) {
      if (closed !== null) throw closedError(face.name);
      const answer = await ask({ kind: "load", id: nextId++, source: sendable(source) }, {});
      if (answer.kind === "loaded") face = answer.face;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const isShared = (data: TensorElements): boolean =>
  ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer;

/** Memory of fed arrays that can change hands: what is shared stays shared. */
function ownBuffers(feeds: Readonly<Record<string, TensorValue>>): ArrayBuffer[] {
  const buffers = Object.values(feeds).flatMap(({ data }) =>
    ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer ? [data.buffer] : [],
  );
  return [...new Set(buffers)];
}

/** The outputs, in the caller's arrays where they were given and the thread could not see them. */
function delivered(answer: Answer, into: ReadonlyMap<string, TensorValue>, model: string): Outputs {
  const outputs = answer.kind === "done" ? answer.outputs : {};
  const entries = Object.entries(outputs).map(([name, value]) => [
    name,
    deliver(value, into.get(name), { output: name, model }),
  ]);
  return Object.fromEntries(entries);
}

function errorOf({ message, user, cause }: Fault): Error {
  const origin = cause === null ? undefined : new Error(cause);
  return user === null
    ? new Error(message, { cause: origin })
    : new UserError(user.code, message, { hint: user.hint, cause: origin });
}
