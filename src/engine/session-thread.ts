// The thread of a worker-thread session: one ordinary session, runs one after the other.

import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { reasonOf, UserError } from "../core/index.ts";
import { createSession, type Outputs, type Session } from "./session.ts";
import {
  BUSY,
  type Fault,
  type FromThread,
  STOP,
  type ThreadData,
  type ToThread,
} from "./thread-messages.ts";

if (parentPort === null) throw new TypeError("session-thread.ts is the main file of a thread");
const port = parentPort;
const { source, options, state } = workerData as ThreadData;

/** Calls what enters ONNX Runtime, unless the process is about to end. */
async function guarded<T>(call: () => Promise<T>): Promise<T | null> {
  Atomics.store(state, BUSY, 1);
  try {
    return Atomics.load(state, STOP) === 1 ? null : await call();
  } finally {
    Atomics.store(state, BUSY, 0);
    Atomics.notify(state, BUSY);
  }
}

const send = (message: FromThread, transfer: ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer);

function faultOf(error: unknown): Fault {
  const user = error instanceof UserError ? { code: error.code, hint: error.hint } : null;
  const cause = error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : null;
  return { message: reasonOf(error), user, cause };
}

/** The memory of outputs, which is handed over and not copied. */
function ownedBuffers(outputs: Outputs): ArrayBuffer[] {
  const buffers = Object.values(outputs).flatMap(({ data }) =>
    ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer ? [data.buffer] : [],
  );
  return [...new Set(buffers)];
}

async function serve(session: Session): Promise<void> {
  const waiting: Extract<ToThread, { kind: "run" }>[] = [];
  const skipped = new Set<number>();
  let working = false;
  let closing = false;

  const finishIfDone = async (): Promise<void> => {
    if (!closing || working || waiting.length > 0) return;
    await guarded(() => session.close());
    port.close();
  };
  const work = async (): Promise<void> => {
    if (working) return;
    working = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (!skipped.delete(next.id)) await answer(session, next);
      // Lets messages in that say what is not wanted any more.
      await nextTurn();
    }
    working = false;
    await finishIfDone();
  };
  port.on("message", (message: ToThread) => {
    switch (message.kind) {
      case "run":
        waiting.push(message);
        void work();
        return;
      case "skip":
        if (waiting.some(({ id }) => id === message.id)) skipped.add(message.id);
        return;
      case "close":
        closing = true;
        void finishIfDone();
        return;
      default:
        message satisfies never;
    }
  });
}

async function answer(
  session: Session,
  { id, feeds, outputs: wanted, into }: Extract<ToThread, { kind: "run" }>,
): Promise<void> {
  try {
    const outputs = await guarded(() => session.run(feeds, { outputs: wanted, into }));
    if (outputs !== null) send({ kind: "done", id, outputs }, ownedBuffers(outputs));
  } catch (error) {
    send({ kind: "failed", id, fault: faultOf(error) });
  }
}

try {
  const session = await guarded(() => createSession(source, options));
  if (session !== null) {
    await serve(session);
    const { name, inputs, outputs, settings } = session;
    send({ kind: "ready", name, inputs, outputs, settings });
  }
} catch (error) {
  send({ kind: "refused", fault: faultOf(error) });
}
