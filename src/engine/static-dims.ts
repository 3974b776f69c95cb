// Sizes written into a model in place of names. ONNX Runtime's JavaScript bindings accept
// `freeDimensionOverrides` and ignore them (1.30), so the file itself must say the sizes.

import { UserError } from "../core/index.ts";
import type { Dimension, Graph, Model, ValueInfo, ValueType } from "../onnx/index.ts";

/** Sizes for what a model leaves open. */
export interface StaticDims {
  /** Sizes by the name that the model gives them: `{ batch: 1 }`. */
  readonly dimensions?: Readonly<Record<string, number>>;
  /** Whole shapes by input, for sizes that have no name. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
}

/**
 * The model with sizes in place of names, in its inputs, outputs and the values in between. Names that
 * stand in outputs only are taken away, since ONNX Runtime would believe them over what it infers. Throws
 * UserError for names and inputs that it does not have and for sizes that contradict it or each other.
 */
export function withStaticDims(model: Model, { dimensions, shapes }: StaticDims): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const sizes = new Map<string, number>();
  for (const [name, size] of Object.entries(dimensions ?? {})) {
    if (!hasParameter(graph, name)) throw unknownName(graph, name);
    bind(sizes, name, size, `dimension "${name}"`);
  }
  const whole = new Map(Object.entries(shapes ?? {}));
  for (const [name, shape] of whole) bindShape(graph, sizes, name, shape);
  const inputs = graph.inputs.map((input) =>
    resolve(input, sizes, { whole: whole.get(input.name) }),
  );
  const known = new Set(parametersOf(graph));
  return {
    ...model,
    graph: {
      ...graph,
      inputs,
      outputs: graph.outputs.map((output) => resolve(output, sizes, { known })),
      valueInfos: graph.valueInfos.map((value) => resolve(value, sizes, { known })),
    },
  };
}

function bindShape(
  graph: Graph,
  sizes: Map<string, number>,
  name: string,
  shape: readonly number[],
): void {
  const input = graph.inputs.find((candidate) => candidate.name === name);
  if (input === undefined) {
    const names = graph.inputs.map((candidate) => candidate.name).join(", ");
    throw new UserError("invalid-input", `the model has no input "${name}" to give a shape`, {
      hint: `Its inputs are: ${names}.`,
    });
  }
  const declared = shapeOf(input.type);
  if (declared === undefined) return;
  const fits =
    declared.length === shape.length &&
    declared.every(({ value }, axis) => value === undefined || Number(value) === shape[axis]);
  if (!fits) {
    const text = declared.map(({ value, parameter }) => value ?? parameter ?? "?").join(", ");
    const fault = `input "${name}" is [${text}] and cannot be [${shape.join(", ")}]`;
    throw new UserError("invalid-input", fault, { hint: "Give sizes only for what is open." });
  }
  declared.forEach(({ parameter }, axis) => {
    const size = shape[axis] ?? 0;
    if (parameter !== undefined) bind(sizes, parameter, size, `input "${name}", axis ${axis}`);
  });
}

function bind(sizes: Map<string, number>, name: string, size: number, where: string): void {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new UserError("invalid-input", `${where} cannot have the size ${size}`, {
      hint: "Sizes are whole numbers.",
    });
  }
  const bound = sizes.get(name);
  if (bound !== undefined && bound !== size) {
    throw new UserError("invalid-input", `${where} makes "${name}" ${size}, but it is ${bound}`, {
      hint: "One name stands for one size in the whole model.",
    });
  }
  sizes.set(name, size);
}

function resolve(
  info: ValueInfo,
  sizes: ReadonlyMap<string, number>,
  { whole, known }: { readonly whole?: readonly number[] | undefined; readonly known?: Names },
): ValueInfo {
  const { type } = info;
  if (type?.kind !== "tensor") return info;
  if (whole !== undefined) {
    return { ...info, type: { ...type, shape: whole.map((size) => ({ value: BigInt(size) })) } };
  }
  if (type.shape === undefined) return info;
  return {
    ...info,
    type: { ...type, shape: type.shape.map((dim) => resolveDim(dim, sizes, known)) },
  };
}

type Names = ReadonlySet<string>;

function resolveDim(dim: Dimension, sizes: ReadonlyMap<string, number>, known?: Names): Dimension {
  const { parameter, ...rest } = dim;
  if (parameter === undefined) return dim;
  const size = sizes.get(parameter);
  if (size !== undefined) return { ...rest, value: BigInt(size) };
  return known === undefined || known.has(parameter) ? dim : rest;
}

const shapeOf = (type: ValueType | undefined): readonly Dimension[] | undefined =>
  type?.kind === "tensor" ? type.shape : undefined;

const parametersOf = (graph: Graph): readonly string[] =>
  graph.inputs.flatMap(({ type }) =>
    (shapeOf(type) ?? []).flatMap(({ parameter }) => (parameter ? [parameter] : [])),
  );

const hasParameter = (graph: Graph, name: string): boolean => parametersOf(graph).includes(name);

function unknownName(graph: Graph, name: string): UserError {
  const names = [...new Set(parametersOf(graph))];
  return new UserError("invalid-input", `no input of the model has a dimension "${name}"`, {
    hint:
      names.length === 0
        ? "Its inputs name no dimensions; give whole shapes by input instead."
        : `The names there are: ${names.join(", ")}.`,
  });
}
