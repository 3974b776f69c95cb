// The update as a part of the graph: each parameter and each piece of state becomes an input and an
// output. ONNX Runtime updates a parameter as soon as its gradient is ready, while other nodes may still
// need the old one, so the two are different arrays.

import {
  extendModel,
  type GraphBuilder,
  type Model,
  type OperatorTable,
} from "../../onnx/index.ts";
import { graphOf, initializersToInputs, withoutOutputs } from "./graph-surgery.ts";
import type { Optimizer } from "./optimizers/index.ts";

/** An array that a step reads and of which it gives the next. */
export interface StateEntry {
  /** What it is called outside: a parameter's own name, or `velocity/` and the parameter's name. */
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly dims: readonly number[];
  /** Whether the next may be written over it. */
  readonly inPlace: boolean;
  readonly role: "parameter" | "slot" | "average" | "statistic";
}

/** How one parameter is treated. */
export interface ParameterGroup {
  /** Factor on the optimiser's weight decay. */
  readonly decay: number;
  /** Factor on the learning rate. */
  readonly rate: number;
}

export interface Trainable {
  readonly name: string;
  readonly dims: readonly number[];
}

export interface UpdateOptions {
  readonly optimizer: Optimizer;
  /** Default: `decayMatrices`. */
  readonly groups?: (parameter: Trainable) => ParameterGroup;
  /** Longest gradient: a longer one, over all parameters, is shortened to it. Default: none. */
  readonly clipNorm?: number;
  /** Decay of a moving average of the parameters, in (0, 1). Default: none is kept. */
  readonly average?: number;
}

/** Decay for matrices and kernels, none for biases and the scales of normalisation. */
export const decayMatrices = ({ dims }: Trainable): ParameterGroup => ({
  decay: dims.length > 1 ? 1 : 0,
  rate: 1,
});

/** A graph whose outputs hold the next parameters and state. */
export interface UpdateGraph {
  readonly model: Model;
  readonly entries: readonly StateEntry[];
  /** What to feed in a step counted from 1, by the names of inputs. */
  scalars(step: number, rate: number): Readonly<Record<string, number>>;
  /** Output with the norm of the whole gradient before it was shortened; null where none is. */
  readonly norm: string | null;
}

const NORM = "gradient norm";

/** Name of the output that holds the next of a value. */
const nextOf = (name: string): string => `next/${name}`;

/**
 * Appends the update of parameters by their gradients, takes the parameters out of the initializers and
 * states the outputs anew: the values in `keep`, the norm of the gradient where it is bounded, and the next
 * of all state. `statistics` are initializers with the value that follows each.
 */
export function withOptimizer(
  model: Model,
  options: UpdateOptions & {
    readonly operators: OperatorTable;
    readonly gradients: ReadonlyMap<string, string>;
    readonly statistics?: ReadonlyMap<string, string>;
    readonly keep?: readonly string[];
  },
): UpdateGraph {
  const { operators, gradients, statistics = new Map<string, string>(), keep = [] } = options;
  const dims = dimsOf(model);
  const changing = new Set([...gradients.keys(), ...statistics.keys()]);
  const bare = withoutOutputs(initializersToInputs(model, changing));
  const graph = extendModel(bare, { operators });
  for (const value of keep) graph.output(value);
  const parameters = [...gradients].map(([name, gradient]) => ({
    name,
    gradient,
    dims: dims.get(name) ?? [],
  }));
  const update = emitUpdate(graph, parameters, options);
  const followed = [...statistics].map(([name, value]): StateEntry => {
    const output = nextOf(name);
    graph.output(value, { name: output });
    const of = { name, input: name, output, dims: dims.get(name) ?? [] };
    return { ...of, inPlace: false, role: "statistic" };
  });
  return { ...update, model: graph.finish(), entries: [...update.entries, ...followed] };
}

/** A parameter and the value of the graph that holds its gradient. */
export interface WithGradient extends Trainable {
  readonly gradient: string;
}

/** Appends the update of parameters that are values of the graph, with inputs and outputs for state. */
export function emitUpdate(
  graph: GraphBuilder,
  parameters: readonly WithGradient[],
  options: UpdateOptions,
): Omit<UpdateGraph, "model"> {
  const { optimizer, clipNorm, average, groups = decayMatrices } = options;
  const constant = constants(graph);
  const scalars = scalarInputs(graph, optimizer);
  const clip = clipNorm === undefined ? null : clipping(graph, parameters, { clipNorm, constant });
  const entries = parameters.flatMap(({ name, dims, gradient }) => {
    const group = groups({ name, dims });
    const slots = optimizer.slots.map((slot) => ({
      ...slot,
      input: graph.input(`${slot.name}/${name}`, "float32", dims),
    }));
    const updated = optimizer.update({
      graph,
      parameter: name,
      gradient: clip === null ? gradient : graph.op("Mul", [gradient, clip.scale]),
      slots: Object.fromEntries(slots.map(({ name: slot, input }) => [slot, input])),
      scalars: scalars.of(group.rate),
      decay: optimizer.weightDecay * group.decay,
      constant,
    });
    const give = (of: Pick<StateEntry, "name" | "inPlace" | "role">, value: string): StateEntry => {
      graph.output(value, { name: nextOf(of.name) });
      return { ...of, input: of.name, output: nextOf(of.name), dims };
    };
    const averaged =
      average === undefined
        ? []
        : [
            give(
              { name: `average/${name}`, inPlace: true, role: "average" },
              averageOf(graph, { name, dims, next: updated.parameter, average, constant }),
            ),
          ];
    return [
      give({ name, inPlace: false, role: "parameter" }, updated.parameter),
      ...slots.map((slot) =>
        give(
          { name: slot.input, inPlace: slot.inPlace, role: "slot" },
          updated.slots[slot.name] ?? "",
        ),
      ),
      ...averaged,
    ];
  });
  if (clip !== null) graph.output(clip.norm, { name: NORM });
  return { entries, scalars: scalars.values, norm: clip === null ? null : NORM };
}

/** average = a average + (1 - a) next. It starts from the first parameters. */
function averageOf(
  graph: GraphBuilder,
  of: Trainable & {
    readonly next: string;
    readonly average: number;
    readonly constant: (value: number) => string;
  },
): string {
  const old = graph.input(`average/${of.name}`, "float32", of.dims);
  const kept = graph.op("Mul", [old, of.constant(of.average)]);
  return graph.op("Add", [kept, graph.op("Mul", [of.next, of.constant(1 - of.average)])]);
}

/**
 * The norm of all gradients together, and min(1, longest / (norm + 1e-6)), which PyTorch's
 * clip_grad_norm_ multiplies them with (Pascanu et al. 2013).
 */
function clipping(
  graph: GraphBuilder,
  parameters: readonly WithGradient[],
  of: { readonly clipNorm: number; readonly constant: (value: number) => string },
): { readonly norm: string; readonly scale: string } {
  if (!(of.clipNorm > 0)) throw new RangeError(`a norm is above 0, not ${of.clipNorm}`);
  const squares = parameters.map(({ gradient }) =>
    graph.op("ReduceSumSquare", [gradient], { keepdims: 0 }),
  );
  const norm = graph.op("Sqrt", [graph.op("Sum", squares)]);
  const length = graph.op("Add", [norm, of.constant(1e-6)]);
  const ratio = graph.op("Div", [of.constant(of.clipNorm), length]);
  return { norm, scale: graph.op("Min", [ratio, of.constant(1)]) };
}

/** Scalars that are fed in each step, one set for each learning rate factor that occurs. */
function scalarInputs(
  graph: GraphBuilder,
  optimizer: Optimizer,
): {
  of(factor: number): Readonly<Record<string, string>>;
  values(step: number, rate: number): Readonly<Record<string, number>>;
} {
  const sets = new Map<number, Readonly<Record<string, string>>>();
  const add = (factor: number): Readonly<Record<string, string>> => {
    const suffix = factor === 1 ? "" : ` x${factor}`;
    const names = Object.keys(optimizer.scalars(1, 1)).map((name) => [
      name,
      graph.input(`step ${name}${suffix}`, "float32", []),
    ]);
    return Object.fromEntries(names) as Readonly<Record<string, string>>;
  };
  return {
    of(factor) {
      const known = sets.get(factor) ?? add(factor);
      sets.set(factor, known);
      return known;
    },
    values(step, rate) {
      const fed = [...sets].flatMap(([factor, inputs]) => {
        const values = optimizer.scalars(step, rate * factor);
        return Object.entries(inputs).map(([name, input]) => [input, values[name] ?? 0] as const);
      });
      return Object.fromEntries(fed);
    },
  };
}

/** Makes each scalar constant once. */
function constants(graph: GraphBuilder): (value: number) => string {
  const made = new Map<number, string>();
  return (value) => {
    const name = made.get(value) ?? graph.constant("float32", { dims: [], values: [value] });
    made.set(value, name);
    return name;
  };
}

/** Sizes of initializers and inputs. */
function dimsOf(model: Model): ReadonlyMap<string, readonly number[]> {
  const { initializers, inputs } = graphOf(model);
  const given = inputs.flatMap(({ name, type }) =>
    type?.kind === "tensor" && type.shape !== undefined
      ? [[name, type.shape.map(({ value }) => Number(value ?? -1))] as const]
      : [],
  );
  const stored = initializers.map(({ name = "", dims }) => [name, dims.map(Number)] as const);
  return new Map([...given, ...stored]);
}
