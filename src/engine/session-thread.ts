// The thread of a worker-thread session: one ordinary session at a time, runs one after the other.

import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { reasonOf, UserError } from "../core/index.ts";
import { createSession, type Outputs, type Session } from "./session.ts";
import {
  BUSY,
  type Face,
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

/** What is done in the order in which it comes. */
type Task = Extract<ToThread, { kind: "run" | "load" }>;

function serve(first: Session): void {
  let session = first;
  const waiting: Task[] = [];
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
      if (next.kind === "load") session = await replaced(session, next);
      else if (!skipped.delete(next.id)) await answer(session, next);
      // Lets messages in that say what is not wanted any more.
      await nextTurn();
    }
    working = false;
    await finishIfDone();
  };
  port.on("message", (message: ToThread) => {
    switch (message.kind) {
      case "run":
      case "load":
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

/** The session of another model, and the old one closed; the old one where the other is refused. */
async function replaced(
  session: Session,
  { id, source: other }: Extract<ToThread, { kind: "load" }>,
): Promise<Session> {
  try {
    const next = await guarded(() => createSession(other, options));
    if (next === null) return session;
    await guarded(() => session.close());
    send({ kind: "loaded", id, face: faceOf(next) });
    return next;
  } catch (error) {
    send({ kind: "failed", id, fault: faultOf(error) });
    return session;
  }
}

const faceOf = ({ name, inputs, outputs, settings }: Session): Face => ({
  ...{ name, inputs, outputs, settings },
});

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
    serve(session);
    send({ kind: "ready", face: faceOf(session) });
  }
} catch (error) {
  send({ kind: "refused", fault: faultOf(error) });
}
