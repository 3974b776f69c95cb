// Ways to write one gradient. Which is the fastest depends on the target and the sizes, so that they are
// kept side by side and chosen between.

import type { Value, Writer } from "./writer.ts";

/** Where a graph runs: ONNX Runtime's CPU kernels, the same in WebAssembly, or WebGPU. */
export type Target = "cpu" | "wasm" | "webgpu";

/** One way to compute something; `C` are the sizes and attributes it is about. */
export interface Lowering<C> {
  readonly name: string;
  /** Whether it computes the right thing in this case, on this target. */
  applies(of: C, target: Target): boolean;
  write(writer: Writer, inputs: readonly Value[], of: C): Value;
}

/** Several ways to compute the same. */
export interface LoweringFamily<C> {
  readonly name: string;
  /** The first that applies is what the others are compared with. */
  readonly lowerings: readonly Lowering<C>[];
  /** The way that is likely the fastest, where none was timed. */
  guess(of: C, target: Target): string;
}

/** One case of a family: what is to be computed, and every way that does. */
export interface LoweringTask {
  readonly family: string;
  /** Sizes and attributes, as plain data. */
  readonly of: unknown;
  readonly inputs: readonly Pick<Value, "dims" | "dataType">[];
  readonly ways: readonly Way[];
}

/** A lowering of a task. */
export interface Way {
  readonly name: string;
  write(writer: Writer, inputs: readonly Value[]): Value;
}

/** Writes a case by the way chosen for it. */
export type Choose = <C>(
  family: LoweringFamily<C>,
  of: C,
  writer: Writer,
  inputs: readonly Value[],
) => Value;

/** How ways are chosen. */
export interface LoweringOptions {
  /** Default: cpu. */
  readonly target?: Target;
  /** The name of the fastest way of a task; null where that is not known. */
  readonly fastest?: (task: LoweringTask) => string | null;
}

/** The chooser for a target. A name that does not apply to a case counts as not known. */
export function chooser({ target = "cpu", fastest = () => null }: LoweringOptions): Choose {
  return (family, of, writer, inputs) => {
    const ways = family.lowerings
      .filter((lowering) => lowering.applies(of, target))
      .map(({ name, write }): Way => ({ name, write: (w, values) => write(w, values, of) }));
    const named = (name: string | null) => ways.find((way) => way.name === name);
    const types = inputs.map(({ dims, dataType }) => ({ dims, dataType }));
    const task = { family: family.name, of, inputs: types, ways };
    const chosen = named(fastest(task)) ?? named(family.guess(of, target)) ?? ways[0];
    if (chosen === undefined) throw new TypeError(`no way to write ${family.name} on ${target}`);
    return chosen.write(writer, inputs);
  };
}
