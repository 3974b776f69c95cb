// If, Loop and Scan: what their sub-graphs give, joined over branches and iterations.

import { type Size, sameSize } from "../dimension.ts";
import {
  commonType,
  type InferredType,
  type Item,
  OTHER,
  type Shape,
  shapeOfType,
  tensor,
} from "../inferred-type.ts";
import {
  axisOf,
  axisSize,
  fault,
  general,
  graphOf,
  intOf,
  intsOf,
  notInferable,
  type Operation,
  type Outcome,
  operandAt,
  type Rules,
  scalarAt,
  sizesAt,
  typeOnly,
} from "../operation.ts";

function branch(operation: Operation): readonly Outcome[] {
  const condition = scalarAt(operation, 0);
  const decided = typeof condition === "number";
  const outputs = (name: string, taken: boolean): readonly Outcome[] =>
    operation.inferBody(graphOf(operation, name), [], taken ? "executed" : "never executed");
  const positive = outputs("then_branch", !decided || condition !== 0);
  const negative = outputs("else_branch", !decided || condition === 0);
  if (decided) return condition === 0 ? negative : positive;
  return positive.map((one, index) => joined(operation, one, negative[index]));
}

/** What a value is that comes from the one or from the other. */
function joined(operation: Operation, one: Outcome, other: Outcome | undefined): Outcome {
  if (other === undefined) return one;
  const type = commonType(one.type, other.type, (a, b) => (sameSize(a, b) ? a : operation.mint()));
  return { type, items: () => commonItems(one.items(), other.items()) };
}

function commonItems(
  one: readonly Item[] | null,
  other: readonly Item[] | null,
): readonly Item[] | null {
  if (one === null || one.length !== other?.length) return null;
  return one.map((item, index) => {
    const twin = other[index] ?? null;
    return item !== null && twin !== null && sameSize(item, twin) ? item : null;
  });
}

/** Enough for every size that changes to be found: each round fixes at least one. */
const MOST_ROUNDS = 4;

const ITERATION: Outcome = { type: tensor("int64", []), items: () => [null] };
/** Inside the body the condition is true: else the body would not run. */
const TRUE: Outcome = { type: tensor("bool", []), items: () => [1] };

function loop(operation: Operation): readonly Outcome[] {
  const body = graphOf(operation, "body");
  const initial = operation.inputs.slice(2).map((operand) => operand?.type ?? OTHER);
  const { carried, outputs } = fixpoint(initial, operation, (states) =>
    operation.inferBody(body, [ITERATION, TRUE, ...states], "executed"),
  );
  const [condition, ...rest] = outputs;
  const endless = operation.inputs[1] == null || scalarAt(operation, 1) === 1;
  const unbroken = endless && condition?.items()?.[0] === 1;
  const trips = unbroken ? tripCount(operation) : operation.mint("iterations");
  const stacked = rest.slice(initial.length).map(({ type }) => typeOnly(stack(type, trips, 0)));
  return [...carried.map(typeOnly), ...stacked];
}

function tripCount(operation: Operation): Size {
  if (operation.inputs[0] == null) return operation.mint("iterations");
  const [trips] = sizesAt(operation, 0) ?? [];
  if (trips === undefined) return operation.mint("iterations");
  return typeof trips === "number" ? Math.max(0, trips) : trips;
}

/** Types of the carried values that hold for every iteration, and the outputs of the body under them. */
function fixpoint(
  initial: readonly InferredType[],
  operation: Operation,
  run: (states: readonly Outcome[]) => readonly Outcome[],
): { readonly carried: readonly InferredType[]; readonly outputs: readonly Outcome[] } {
  // Sizes that change from one iteration to the next; each symbol stands for any size.
  const changing = new Set<Size>();
  let carried = initial;
  let outputs: readonly Outcome[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    outputs = run(carried.map(typeOnly));
    let stable = true;
    const widened = carried.map((type, index) => {
      const result = outputs[index + 1]?.type ?? OTHER;
      const wider = commonType(type, result, (a, b) => {
        if (sameSize(a, b) || changing.has(a)) return a;
        stable = false;
        const size = operation.mint();
        changing.add(size);
        return size;
      });
      if (shapeOfType(wider) === null && shapeOfType(type) !== null) stable = false;
      return wider;
    });
    carried = widened;
    if (stable) break;
  }
  return { carried, outputs };
}

/** A tensor for each iteration, put together along a new axis. */
function stack(type: InferredType, count: Size, axis: number): InferredType {
  if (type.kind !== "tensor" || type.shape === null) return type;
  return tensor(
    type.elementType,
    type.shape.toSpliced(axisOf(axis, type.shape.length + 1), 0, count),
  );
}

/** Scan reads its inputs slice by slice along an axis; before opset 9 behind a batch axis. */
function scan(operation: Operation): readonly Outcome[] {
  const old = operation.version < 9;
  const body = graphOf(operation, "body");
  const operands = operation.inputs
    .slice(old ? 1 : 0)
    .map((_, index) => operandAt(operation, index + (old ? 1 : 0)));
  const scanned = intOf(operation, "num_scan_inputs", 1);
  if (scanned < 1 || scanned > operands.length) fault(`num_scan_inputs is ${scanned}`);
  const states = operands.slice(0, operands.length - scanned);
  const sequences = operands.slice(operands.length - scanned).map(({ type, name }) => {
    return shapeOfType(type) ?? notInferable(`the rank of "${name}" is not known`);
  });
  const axes = sequences.map((shape, index) =>
    axisOf(old ? 1 : (intsOf(operation, "scan_input_axes")?.[index] ?? 0), shape.length),
  );
  const [first = fault("nothing to scan")] = sequences;
  const batch = old ? [axisSize(first, 0)] : [];
  const length = axisSize(first, axes[0] ?? 0);
  const inner = (type: InferredType, axis: number | null): InferredType =>
    type.kind === "tensor"
      ? tensor(
          type.elementType,
          type.shape &&
            withoutAxes(type.shape, [...(old ? [0] : []), ...(axis === null ? [] : [axis])]),
        )
      : type;
  const slices = operands
    .slice(states.length)
    .map(({ type }, index) => typeOnly(inner(type, axes[index] ?? 0)));
  const { carried, outputs } =
    scanned === 0
      ? { carried: [], outputs: [] }
      : fixpointOfScan(
          operation,
          states.map(({ type }) => inner(type, null)),
          (types) => operation.inferBody(body, [...types, ...slices], "executed"),
        );
  const outer = (type: InferredType, extra: Shape): InferredType =>
    type.kind === "tensor"
      ? tensor(type.elementType, type.shape && [...extra, ...type.shape])
      : type;
  const stacked = outputs.slice(carried.length).map(({ type }, index) => {
    if (old) return typeOnly(outer(type, [...batch, length]));
    return typeOnly(stack(type, length, intsOf(operation, "scan_output_axes")?.[index] ?? 0));
  });
  return [...carried.map((type) => typeOnly(outer(type, batch))), ...stacked];
}

/** The outputs of a scan's body begin with the states, those of a loop's with the condition. */
function fixpointOfScan(
  operation: Operation,
  initial: readonly InferredType[],
  run: (states: readonly Outcome[]) => readonly Outcome[],
): { readonly carried: readonly InferredType[]; readonly outputs: readonly Outcome[] } {
  const { carried, outputs } = fixpoint(initial, operation, (states) => [TRUE, ...run(states)]);
  return { carried, outputs: outputs.slice(1) };
}

const withoutAxes = (shape: Shape, axes: readonly number[]): Shape =>
  shape.filter((_, axis) => !axes.includes(axis));

export const controlFlow: Rules = {
  If: general(branch, "its branches give values of different ranks"),
  Loop: general(loop, "its iterations give values of different ranks"),
  Scan: general(scan),
};
