// One model that leaves early by itself: behind each head an `If`, of which ONNX Runtime runs one branch
// only. It takes one row at a time; for batches see stages.ts.

import {
  attribute,
  checkModel,
  type Graph,
  type Model,
  ModelError,
  type Node,
  type OperatorTable,
  readsOf,
  renameNode,
  type Tensor,
  tensorOf,
  type ValueInfo,
} from "../../../onnx/index.ts";
import { nodeOf } from "../../compress/node-of.ts";
import { confidencePiece, type Piece, scoresPiece } from "./head.ts";
import { type ExitDesign, givesProbabilities, onlyOutput, segmentsOf } from "./segments.ts";

/**
 * The model with exits, for one row a run. Throws ModelError where the model speaks an opset before 18,
 * whose reductions keep their axes elsewhere.
 */
export function exitModel(design: ExitDesign, operators: OperatorTable): Model {
  const { model } = design;
  const { graph, output } = onlyOutput(model);
  const segments = segmentsOf(design);
  const owners = ownersOf(segments);
  const grow: Growing = {
    design,
    segments,
    output,
    tensorsOf: (at) => ownTensors(graph, owners, at),
  };
  const { nodes, initializers } = exitNodes(grow, 0, output);
  const weights = new Set(graph.initializers.map(({ name = "" }) => name));
  const shared = graph.initializers.filter(({ name = "" }) => (owners.get(name) ?? 0) <= 0);
  const result: Model = {
    ...model,
    graph: {
      ...graph,
      nodes: [...(segments[0] ?? []), ...nodes],
      initializers: [...shared, ...initializers],
      inputs: graph.inputs.map((info) => (weights.has(info.name) ? info : ofOneRow(info))),
      outputs: graph.outputs.map(ofOneRow),
      valueInfos: [],
    },
  };
  const fault = checkModel(result, operators).find(({ severity }) => severity === "error");
  if (fault === undefined) return result;
  throw new ModelError(fault.message, fault.path, {
    hint: "Bring the model to opset 18 or later first; `simplify` does.",
  });
}

/** A value that says itself that it is of one row: an `If` decides for all rows of a run. */
function ofOneRow(info: ValueInfo): ValueInfo {
  const { type } = info;
  if (type?.kind !== "tensor" || type.shape === undefined) return info;
  const [, ...rest] = type.shape;
  return { ...info, type: { ...type, shape: [{ value: 1n }, ...rest] } };
}

interface Growing {
  readonly design: ExitDesign;
  readonly segments: readonly (readonly Node[])[];
  readonly output: string;
  tensorsOf(segment: number): readonly Tensor[];
}

/** Nodes that decide at a head, ending in a value of this name. */
function exitNodes(grow: Growing, at: number, into: string): Omit<Piece, "output"> {
  const { design } = grow;
  const head = design.heads[at];
  if (head === undefined) throw new RangeError(`no head ${at}`);
  const prefix = `exit${at + 1}`;
  const scores = scoresPiece(head, prefix);
  const sure = confidencePiece(scores.output, design.confidence, prefix);
  const [limit, leaves] = [`${prefix}/threshold`, `${prefix}/leaves`];
  const threshold = design.thresholds[at] ?? Number.POSITIVE_INFINITY;
  const taken = givesProbabilities(design.model) ? `${prefix}/probabilities` : scores.output;
  const branches = [
    attribute.graph("then_branch", handOn(taken, `${prefix}/taken`)),
    attribute.graph("else_branch", restOf(grow, at + 1)),
  ];
  return {
    nodes: [
      ...scores.nodes,
      ...sure.nodes,
      nodeOf("GreaterOrEqual", [sure.output, limit], { outputs: [leaves] }),
      nodeOf("If", [leaves], { outputs: [into], attributes: branches, name: prefix }),
    ],
    initializers: [
      ...scores.initializers,
      ...sure.initializers,
      tensorOf("float32", { name: limit, dims: [], values: [threshold] }),
    ],
  };
}

const EMPTY: Graph = {
  nodes: [],
  initializers: [],
  sparseInitializers: [],
  inputs: [],
  outputs: [],
  valueInfos: [],
  metadata: [],
};

const handOn = (value: string, output: string): Graph => ({
  ...EMPTY,
  name: output,
  nodes: [nodeOf("Identity", [value], { outputs: [output] })],
  outputs: [{ name: output, metadata: [] }],
});

/** The graph behind a head: up to the next, or to the end. */
function restOf(grow: Growing, at: number): Graph {
  const { design, segments, output } = grow;
  const ending = `${output}/after${at}`;
  const own = segments[at] ?? [];
  const initializers = grow.tensorsOf(at);
  if (at === design.heads.length) {
    // Names are used once in all nested graphs, and the model's output has its own already.
    const renaming = new Map([[output, ending]]);
    const nodes = own.map((node) => renameNode(node, renaming));
    return {
      ...EMPTY,
      name: ending,
      nodes,
      initializers,
      outputs: [{ name: ending, metadata: [] }],
    };
  }
  const exit = exitNodes(grow, at, ending);
  return {
    ...EMPTY,
    name: ending,
    nodes: [...own, ...exit.nodes],
    initializers: [...initializers, ...exit.initializers],
    outputs: [{ name: ending, metadata: [] }],
  };
}

/** The segment that alone reads a tensor; -1 where several do. */
function ownersOf(segments: readonly (readonly Node[])[]): ReadonlyMap<string, number> {
  const owners = new Map<string, number>();
  for (const [at, nodes] of segments.entries()) {
    for (const value of nodes.flatMap((node) => [...readsOf(node)])) {
      const known = owners.get(value);
      owners.set(value, known === undefined || known === at ? at : -1);
    }
  }
  return owners;
}

/** Weights move into the branch that reads them: ONNX Runtime only rearranges those of the same graph. */
const ownTensors = (
  graph: Graph,
  owners: ReadonlyMap<string, number>,
  at: number,
): readonly Tensor[] => graph.initializers.filter(({ name = "" }) => owners.get(name) === at);
