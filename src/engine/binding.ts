// The part of ONNX Runtime's JavaScript interface that godwit uses, without its types, so that
// godwit's own declarations compile where the package is not installed.

import type { TensorElements, TensorValue } from "./tensor-value.ts";

/** ONNX Runtime as loaded: makes sessions and tensors. */
export interface Binding {
  readonly version: string;
  /**
   * Whether elements are computed straight into arrays that the caller provides. Where not, the
   * caller copies.
   */
  writesInto(dataType: string): boolean;
  /** Whether models and their data files are opened by path. Where not, bytes are handed over. */
  readonly opensFiles: boolean;
  /** Threads that are really used when so many are asked for. */
  threads(wanted: number): number;
  create(model: Uint8Array | string, options: BindingOptions): Promise<BindingSession>;
  /** A tensor over the caller's array, without a copy. */
  tensor(value: TensorValue): BindingTensor;
}

/** Options under the names of ONNX Runtime's `InferenceSession.SessionOptions`. */
export type BindingOptions = Readonly<Record<string, unknown>>;

export interface BindingSession {
  readonly inputMetadata: readonly BindingPort[];
  readonly outputMetadata: readonly BindingPort[];
  run(
    feeds: Readonly<Record<string, BindingTensor>>,
    /** A tensor to write to, or null where ONNX Runtime allocates. */
    fetches: Readonly<Record<string, BindingTensor | null>>,
  ): Promise<Readonly<Record<string, BindingTensor>>>;
  endProfiling(): void;
  release(): Promise<void>;
}

export interface BindingPort {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  /** Names stand for sizes that vary, "" for such without a name; [] for a scalar or an unknown rank. */
  readonly shape?: readonly (number | string)[];
}

export interface BindingTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TensorElements;
}
