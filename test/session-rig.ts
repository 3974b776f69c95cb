// What tests of sessions share: two small models, sessions that are closed when a file's tests are
// done, and the fault that a promise ends in.

import { afterAll } from "vitest";
import { UserError } from "../src/core/index.ts";
import { graphLiteral, node, port } from "../src/engine/graph-literal.ts";
import { createSession, type Session, type SessionOptions } from "../src/engine/session.ts";
import { type Model, tensorOf } from "../src/onnx/index.ts";

/** y = 0.5 x + b. */
export const halve: Model = graphLiteral(
  [
    node("Mul", ["x", "half"], ["scaled"], { name: "scale" }),
    node("Add", ["scaled", "b"], ["y"], { name: "shift" }),
  ],
  [port("x", "float32", ["n", 2]), port("b", "float32", [2])],
  [port("y", "float32", ["n", 2])],
  [tensorOf("float32", { name: "half", dims: [], values: [0.5] })],
);

/** c = a b. */
export const product: Model = graphLiteral(
  [node("MatMul", ["a", "b"], ["c"], { name: "mm" })],
  [port("a", "float32", ["m", "k"]), port("b", "float32", ["k", "n"])],
  [port("c", "float32", ["m", "n"])],
);

/** Opens sessions on one thread that are closed after the last test of the calling file. */
export function sessionOpener() {
  const sessions: Session[] = [];
  afterAll(async () => {
    await Promise.all(sessions.map((session) => session.close()));
  });
  return async (
    model: Model | Uint8Array | string,
    options: SessionOptions = {},
  ): Promise<Session> => {
    const session = await createSession(model, { threads: 1, ...options });
    sessions.push(session);
    return session;
  };
}

/** The UserError that a promise rejects with. */
export async function faultOf(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error("no UserError came", { cause: error });
  return error;
}
