// What an optimiser is to the trainer: state kept for each parameter, scalars that change from step
// to step, and operators that turn a gradient into the next parameter.

import type { GraphBuilder } from "../../../onnx/index.ts";

/** State of the size of its parameter, zero before the first step. */
export interface Slot {
  readonly name: string;
  /**
   * Whether its next value may be written over it: nothing but that value may be computed from the old
   * one. Otherwise there are two arrays that change places.
   */
  readonly inPlace: boolean;
}

/** One parameter as an optimiser updates it; every field but the numbers names a value of the graph. */
export interface Update {
  readonly graph: GraphBuilder;
  readonly parameter: string;
  readonly gradient: string;
  /** By the names of the slots. */
  readonly slots: Readonly<Record<string, string>>;
  /** By the names of the scalars. */
  readonly scalars: Readonly<Record<string, string>>;
  /** Weight decay of this parameter, 0 where it has none. */
  readonly decay: number;
  /** A float32 constant, made once a graph. */
  readonly constant: (value: number) => string;
}

/** Names of the next values. */
export interface Updated {
  readonly parameter: string;
  readonly slots: Readonly<Record<string, string>>;
}

/** An optimiser: a plain object that appends operators. */
export interface Optimizer {
  readonly name: string;
  /** For parameters that decay; which do is decided outside. */
  readonly weightDecay: number;
  readonly slots: readonly Slot[];
  /** What the graph is fed besides, in a step counted from 1 with a learning rate. */
  scalars(step: number, rate: number): Readonly<Record<string, number>>;
  update(of: Update): Updated;
}

/** A value of a record by its name, which its maker put there. */
export function named(record: Readonly<Record<string, string>>, name: string): string {
  const value = record[name];
  if (value === undefined) throw new TypeError(`an optimiser asked for "${name}"`);
  return value;
}

/** gradient + decay parameter: the gradient of an L2 penalty of decay / 2. */
export function withPenalty({ graph, parameter, gradient, decay, constant }: Update): string {
  if (decay === 0) return gradient;
  return graph.op("Add", [gradient, graph.op("Mul", [parameter, constant(decay)])]);
}

/** parameter (1 - rate decay): decay that does not pass through the moments. */
export function decayed({ graph, parameter, scalars, decay, constant }: Update): string {
  if (decay === 0) return parameter;
  const lost = graph.op("Mul", [named(scalars, "rate"), constant(decay)]);
  const kept = graph.op("Sub", [constant(1), lost]);
  return graph.op("Mul", [parameter, kept]);
}

/** a old + b added. */
export function blend(
  { graph, constant }: Update,
  [old, a]: readonly [string, number],
  [added, b]: readonly [string, number],
): string {
  const kept = graph.op("Mul", [old, constant(a)]);
  return graph.op("Add", [kept, b === 1 ? added : graph.op("Mul", [added, constant(b)])]);
}

/** Throws RangeError for a number outside of [least, below). */
export function requireWithin(
  name: string,
  value: number,
  [least, below]: readonly [number, number],
): void {
  if (value >= least && value < below) return;
  throw new RangeError(`${name} lies in [${least}, ${below}), not ${value}`);
}
