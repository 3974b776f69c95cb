// One direction of a recurrent layer, and its gradients.

import type { Site } from "./rule.ts";
import type { Value } from "./writer.ts";

/** One direction of a layer, its steps in the order in which they run. T steps, N samples, H units. */
export interface Direction {
  /** [T, N, I] */
  readonly x: Value;
  /** [gates H, I] */
  readonly w: Value;
  /** [gates H, H] */
  readonly r: Value;
  /** Both biases, [gates H] each; null where there are none. */
  readonly bias: readonly [input: Value, recurrent: Value] | null;
  /** State before the first step, [N, H]. */
  readonly h0: Value;
  readonly c0: Value;
  /** The states before each step, [T, N, H]. */
  readonly before: Value;
  /** The states after each step, [T, N, H]. */
  readonly states: Value;
  /** Gradient by the states, [T, N, H], that by the last one included. */
  readonly dy: Value;
  /** Gradient by the last cell state, [N, H]. */
  readonly dc: Value;
}

/** Gradients of one direction, in the sizes of what they are by. */
export interface DirectionGradients {
  readonly x: Value;
  readonly w: Value;
  readonly r: Value;
  readonly bias: readonly [input: Value, recurrent: Value];
  readonly h0: Value;
  readonly c0?: Value;
}

/** The gradients of one direction of a kind of layer. */
export type Cell = (site: Site, direction: Direction) => DirectionGradients;
