// Running graphs: ONNX Runtime sessions with defaults that save energy, and linear algebra on them.

export { cholesky, solveCholesky, solveLower, solveLowerTransposed } from "./linalg/cholesky.ts";
export { type LeastSquares, leastSquares } from "./linalg/least-squares.ts";
export {
  frobeniusNorm,
  identity,
  type Matrix,
  matrix,
  transpose,
} from "./linalg/matrix.ts";
export { createProducts, type Products, type Transposed } from "./linalg/products.ts";
export { type Qr, qr } from "./linalg/qr.ts";
export {
  type RandomisedOptions,
  type RandomisedSvd,
  randomisedSvd,
} from "./linalg/randomised-svd.ts";
export { type Svd, svd } from "./linalg/svd.ts";
export { type Eigen, symmetricEigen } from "./linalg/symmetric-eigen.ts";
export { type MicroBatch, type MicroBatchOptions, microBatch } from "./micro-batch.ts";
export type { ModelSource, SourceOptions } from "./model-source.ts";
export { type OpenModel, openModelFile, type WeightBytes, weightBytes } from "./open-model.ts";
export type { Feed, Port } from "./port.ts";
export { type Profile, type ProfiledNode, type ProfileOptions, profileModel } from "./profile.ts";
export type { NodeTime } from "./profile-trace.ts";
export {
  type ImportPackage,
  nativeRuntime,
  type Runtime,
  type RuntimeName,
  wasmRuntime,
  webgpuRuntime,
} from "./runtime.ts";
export {
  createSession,
  type Outputs,
  type RunOptions,
  type Session,
  type SessionOptions,
  type SessionSettings,
} from "./session.ts";
export {
  defaultThreads,
  type EngineOptions,
  type EngineSettings,
  type Optimisation,
} from "./settings.ts";
export { type StaticDims, withStaticDims } from "./static-dims.ts";
export {
  isTensorValue,
  sizeOf,
  type TensorElements,
  type TensorValue,
} from "./tensor-value.ts";
export type { WorkerSessionOptions } from "./thread-messages.ts";
export {
  type ThreadChoice,
  type ThreadRow,
  type TuneOptions,
  tuneThreads,
} from "./tune-threads.ts";
export { inferValueTypes } from "./value-types.ts";
export {
  createWorkerSession,
  type WorkerRunOptions,
  type WorkerSession,
} from "./worker-session.ts";
