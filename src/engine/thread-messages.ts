// What a worker-thread session and its thread say to each other.

import type { ErrorCode } from "../core/index.ts";
import type { ModelSource } from "./model-source.ts";
import type { RuntimeName } from "./runtime.ts";
import type { Outputs, Session, SessionOptions } from "./session.ts";
import type { TensorValue } from "./tensor-value.ts";

/** Options that can be sent to a thread: a runtime goes by its name. */
export type WorkerSessionOptions = Omit<SessionOptions, "runtime"> & {
  readonly runtime?: RuntimeName;
};

/** What the thread is started with. */
export interface ThreadData {
  readonly source: ModelSource;
  readonly options: WorkerSessionOptions;
  /** Two integers: `BUSY` and `STOP`. */
  readonly state: Int32Array<SharedArrayBuffer>;
}

/** Index in `state`: 1 while the thread is inside ONNX Runtime. */
export const BUSY = 0;
/** Index in `state`: 1 when the thread must not begin anything more. */
export const STOP = 1;

export type ToThread =
  | {
      readonly kind: "run";
      readonly id: number;
      readonly feeds: Readonly<Record<string, TensorValue>>;
      readonly outputs: readonly string[];
      /** Only arrays over shared memory. */
      readonly into: Readonly<Record<string, TensorValue>>;
    }
  /** Another model in place of the one at work. */
  | { readonly kind: "load"; readonly id: number; readonly source: ModelSource }
  /** Aborted before it began: leave it out. */
  | { readonly kind: "skip"; readonly id: number }
  | { readonly kind: "close" };

/** What a session says of its model. */
export type Face = Pick<Session, "name" | "inputs" | "outputs" | "settings">;

export type FromThread =
  | { readonly kind: "ready"; readonly face: Face }
  | { readonly kind: "refused"; readonly fault: Fault }
  | { readonly kind: "loaded"; readonly id: number; readonly face: Face }
  | { readonly kind: "done"; readonly id: number; readonly outputs: Outputs }
  | { readonly kind: "failed"; readonly id: number; readonly fault: Fault };

/** An error as data: classes do not survive the way between threads. */
export interface Fault {
  readonly message: string;
  /** Null where the error is no UserError. */
  readonly user: { readonly code: ErrorCode; readonly hint: string } | null;
  readonly cause: string | null;
}
