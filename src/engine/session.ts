// Running a graph on the calling thread. ONNX Runtime's JavaScript interface returns promises but
// computes before they settle, so nothing else of this thread runs meanwhile: what takes long belongs
// in worker-session.ts.

import { UserError } from "../core/index.ts";
import type { Graph } from "../onnx/index.ts";
import { checkAlias } from "./alias.ts";
import type { Binding, BindingSession, BindingTensor } from "./binding.ts";
import { explainFault } from "./fault.ts";
import {
  type ModelSource,
  type OpenedModel,
  openSource,
  readDataFiles,
  type SourceOptions,
} from "./model-source.ts";
import { type Feed, type Port, portOf } from "./port.ts";
import { bindFeeds, bindTargets, deliver, wantedOutputs } from "./run-values.ts";
import {
  type LoadedRuntime,
  loadFirst,
  nativeRuntime,
  type Runtime,
  type RuntimeName,
  runtimeNamed,
} from "./runtime.ts";
import { checkedRun } from "./self-check.ts";
import { bindingOptions, type EngineOptions, type EngineSettings, settle } from "./settings.ts";
import { overlap, type TensorElements, type TensorValue } from "./tensor-value.ts";

export interface SessionOptions extends EngineOptions, SourceOptions {
  /** Default: native code where it can be loaded, else WebAssembly. */
  readonly runtime?: Runtime | RuntimeName;
}

/** A graph ready to run. Close it: ONNX Runtime's memory is not the garbage collector's. */
export interface Session extends AsyncDisposable {
  /** What errors call the model. */
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly settings: SessionSettings;
  /**
   * Runs the graph. Throws UserError for inputs that are missing, unknown or do not fit, and for what
   * goes wrong in a node. Arrays that are fed or written to must be left alone until it settles.
   */
  run(feeds: Readonly<Record<string, Feed>>, options?: RunOptions): Promise<Outputs>;
  /** Waits for runs under way, then gives all memory back. Later runs throw; later calls do nothing. */
  close(): Promise<void>;
}

/** What a session runs with, for cards and reports. */
export interface SessionSettings extends EngineSettings {
  readonly runtime: RuntimeName;
  readonly version: string;
  /** Why the preferred runtime is not used; null when it is. */
  readonly fallback: string | null;
}

export interface RunOptions {
  /** Outputs to compute, by name. Default: all that are tensors. */
  readonly outputs?: readonly string[];
  /**
   * Arrays to write outputs to. One may be an array that is fed, where the graph allows that: an
   * update in place. Bare elements take the output's dimensions, which must then be fixed.
   */
  readonly into?: Readonly<Record<string, Feed>>;
  /** Rejects with the signal's reason. What a run on this thread has begun it also ends. */
  readonly signal?: AbortSignal;
}

export type Outputs = Readonly<Record<string, TensorValue>>;

/** Makes a session for a model: a path, the bytes of a file, or the model as data. */
export async function createSession(
  source: ModelSource,
  options: SessionOptions = {},
): Promise<Session> {
  const settings = settle(options);
  const runtime = await loadRuntime(options.runtime);
  const opened = openSource(source, options);
  try {
    const native = await load(runtime.binding, opened, settings);
    const session = sessionOver(native, opened, runtime, settings);
    if (!runtime.checked) return session;
    const reference = { ...options, runtime: nativeRuntime() };
    return { ...session, run: checkedRun(session, () => createSession(source, reference)) };
  } finally {
    opened.close();
  }
}

/** The runtime that was asked for, or the first that can be loaded. */
export async function loadRuntime(choice?: Runtime | RuntimeName): Promise<LoadedRuntime> {
  if (choice === undefined) return loadFirst();
  return loadFirst([typeof choice === "string" ? runtimeNamed(choice) : choice]);
}

/** Hands the model to ONNX Runtime. `extra` are options in its own words. */
export async function load(
  binding: Binding,
  opened: OpenedModel,
  settings: EngineSettings,
  extra: Readonly<Record<string, unknown>> = {},
): Promise<BindingSession> {
  const folder = binding.opensFiles ? opened.dataFolder : null;
  const model = (binding.opensFiles ? opened.path : null) ?? opened.bytes();
  const data = binding.opensFiles ? [] : readDataFiles(opened);
  const given = data.length === 0 ? extra : { ...extra, externalData: data };
  try {
    return await binding.create(model, { ...bindingOptions(settings, folder), ...given });
  } catch (cause) {
    throw explainFault(cause, opened.name, "load");
  }
}

/** A session over what `load` gave. */
export function sessionOver(
  native: BindingSession,
  { name, model }: OpenedModel,
  runtime: LoadedRuntime,
  settings: EngineSettings,
): Session {
  const { binding } = runtime;
  const declaredInputs = new Map(model.graph?.inputs.map((info) => [info.name, info]));
  const declaredOutputs = new Map(model.graph?.outputs.map((info) => [info.name, info]));
  const inputs = native.inputMetadata.map((port) => portOf(port, declaredInputs.get(port.name)));
  const outputs = native.outputMetadata.map((port) => portOf(port, declaredOutputs.get(port.name)));
  const underWay = new Set<Promise<unknown>>();
  const checkAliases = aliasChecker(model.graph, name);
  let closed: Promise<void> | null = null;

  const run = async (
    feeds: Readonly<Record<string, Feed>>,
    options: RunOptions,
  ): Promise<Outputs> => {
    const fed = bindFeeds(inputs, feeds, name);
    const into = bindTargets(outputs, options.into ?? {}, name);
    checkAliases(fed, into);
    const wanted = wantedOutputs(outputs, options.outputs, into, name);
    const tensors = mapValues(fed, (value) => binding.tensor(value));
    const fetches = wanted.map((output) => [output, fetchOf(binding, into.get(output))] as const);
    const results = await native
      .run(tensors, Object.fromEntries(fetches))
      .catch((cause: unknown) => Promise.reject(explainFault(cause, name, "run")));
    return Object.fromEntries(
      fetches.map(([output, fetch]) => {
        const of = { output, model: name, written: fetch !== null };
        return [output, deliver(toValue(results[output]), into.get(output), of)];
      }),
    );
  };

  const close = async (): Promise<void> => {
    closed ??= Promise.allSettled(underWay).then(() => native.release());
    return closed;
  };
  return {
    name,
    inputs,
    outputs,
    settings: {
      ...settings,
      threads: binding.threads(settings.threads),
      runtime: runtime.name,
      version: binding.version,
      fallback: runtime.fallback,
    },
    async run(feeds, options = {}) {
      if (closed !== null) throw closedError(name);
      options.signal?.throwIfAborted();
      const running = run(feeds, options);
      underWay.add(running);
      try {
        return await running;
      } finally {
        underWay.delete(running);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A session was used after it was closed. */
export function closedError(name: string): UserError {
  return new UserError("invalid-input", `the session of ${name} is closed`, {
    hint: "Make a new session, or close this one later.",
  });
}

/** Checks arrays that share bytes; the graph is looked at once for each pair. */
function aliasChecker(
  graph: Graph | undefined,
  model: string,
): (fed: ReadonlyMap<string, TensorValue>, into: ReadonlyMap<string, TensorValue>) => void {
  const known = new Set<string>();
  return (fed, into) => {
    const targets = [...into];
    for (const [index, [output, target]] of targets.entries()) {
      const other = targets.slice(0, index).find(([, before]) => overlap(before.data, target.data));
      if (other !== undefined) throw sharedTarget(output, other[0], model);
      for (const [input, value] of fed) {
        if (!overlap(value.data, target.data)) continue;
        const same = sameMemory(value.data, target.data);
        if (graph === undefined || !same) throw partialOverlap(input, output, model);
        const pair = JSON.stringify([input, output]);
        if (known.has(pair)) continue;
        checkAlias(graph, input, output, model);
        known.add(pair);
      }
    }
  };
}

const sameMemory = (a: TensorElements, b: TensorElements): boolean =>
  ArrayBuffer.isView(a) &&
  ArrayBuffer.isView(b) &&
  a.byteOffset === b.byteOffset &&
  a.byteLength === b.byteLength;

function sharedTarget(output: string, other: string, model: string): UserError {
  const message = `outputs "${output}" and "${other}" of ${model} would be written to the same memory`;
  return new UserError("invalid-input", message, { hint: "Give each output an array of its own." });
}

function partialOverlap(input: string, output: string, model: string): UserError {
  const message = `output "${output}" of ${model} would be written over a part of input "${input}"`;
  return new UserError("invalid-input", message, { hint: "Give the output an array of its own." });
}

const fetchOf = (binding: Binding, target: TensorValue | undefined): BindingTensor | null =>
  target !== undefined && binding.writesInto(target.dataType) ? binding.tensor(target) : null;

/** A tensor of ONNX Runtime's as a value; halves as their bits, whatever array it made for them. */
function toValue(tensor: BindingTensor | undefined): TensorValue {
  if (tensor === undefined) throw new TypeError("ONNX Runtime left out an output");
  const { type, dims, data } = tensor;
  const dataType = type as TensorValue["dataType"];
  if (dataType !== "float16" || !ArrayBuffer.isView(data)) return { dataType, dims, data };
  return {
    dataType,
    dims,
    data: new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2),
  };
}

function mapValues<V, W>(
  map: ReadonlyMap<string, V>,
  change: (value: V) => W,
): Readonly<Record<string, W>> {
  return Object.fromEntries([...map].map(([name, value]) => [name, change(value)]));
}
