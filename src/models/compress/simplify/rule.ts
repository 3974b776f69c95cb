// A rule looks at one node and what surrounds it and puts something simpler there. `rulesPass` goes
// over a model with several rules until none of them finds anything.

import {
  canonicalDomain,
  elementsOf,
  freshNames,
  type Graph,
  type GraphShapes,
  inferShapes,
  type Model,
  mapSubGraphs,
  type Node,
  namesIn,
  type Shape,
  subGraphsOf,
  type TensorType,
  typeOfValue,
} from "../../../onnx/index.ts";
import { GraphEditor } from "../graph-editor.ts";
import type { Change, Fidelity, Pass } from "../pass.ts";
import { withoutDeadCode } from "./dead-code.ts";
import { labelOf } from "./label.ts";

export interface Rule {
  readonly name: string;
  readonly fidelity: Fidelity;
  /** Operators of ai.onnx at which it starts to look. */
  readonly operators: readonly string[];
  /** Rewrites at the node where it can, and says what became of it; null where it did nothing. */
  apply(node: Node, scene: Scene): string | null;
}

/** A graph while rules change it, and what is known of its values. */
export interface Scene {
  readonly editor: GraphEditor;
  /** Version of ai.onnx that nodes are written in. */
  readonly opset: number;
  /** Null where the type is not known, and for what is no tensor. */
  type(value: string): TensorType | null;
  shape(value: string): Shape | null;
  /** Elements of a float32 constant; null for every other value. */
  floats(value: string): Float32Array | null;
  /** Elements of a constant of integers; null for every other value. */
  integers(value: string): readonly number[] | null;
}

/** Rounds after which a pass stops even where rules still find something. */
const MOST_ROUNDS = 50;

/** The pass that applies rules, in this order at each node, until nothing changes. */
export function rulesPass(name: string, rules: readonly Rule[]): Pass {
  const fidelity = rules.some((rule) => rule.fidelity !== "exact") ? "reordered" : "exact";
  return {
    name,
    fidelity,
    async apply(model, { signal }) {
      const changes: Change[] = [];
      let current = model;
      for (let round = 0; round < MOST_ROUNDS; round++) {
        signal?.throwIfAborted();
        const found: Change[] = [];
        current = applyRules(current, rules, found);
        if (found.length === 0) break;
        changes.push(...found);
      }
      return { model: current, changes, refused: [] };
    },
  };
}

function applyRules(model: Model, rules: readonly Rule[], changes: Change[]): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const versions = new Map(
    model.opsetImports.map(({ domain, version }) => [canonicalDomain(domain), Number(version)]),
  );
  const opset = versions.get("") ?? 0;
  const sweep: Sweep = { rules, opset, changes, fresh: freshNames(namesIn(graph)) };
  return { ...model, graph: applyToGraph(graph, inferShapes(model).graph, null, sweep) };
}

interface Sweep {
  readonly rules: readonly Rule[];
  readonly opset: number;
  readonly changes: Change[];
  readonly fresh: (wanted: string) => string;
}

function applyToGraph(
  graph: Graph,
  shapes: GraphShapes | null,
  outer: GraphEditor | null,
  sweep: Sweep,
): Graph {
  const editor = new GraphEditor(graph, sweep.fresh, outer);
  const scene = sceneOf(editor, shapes, sweep.opset);
  const before = sweep.changes.length;
  for (const old of editor.nodes()) {
    if (!editor.has(old)) continue;
    const node = withSimplerBodies(old, { editor, shapes, sweep });
    if (canonicalDomain(node.domain) !== "") continue;
    for (const rule of sweep.rules) {
      if (!rule.operators.includes(node.opType)) continue;
      const what = rule.apply(node, scene);
      if (what === null) continue;
      sweep.changes.push({ pass: rule.name, subject: labelOf(node), what });
      break;
    }
  }
  if (sweep.changes.length === before) return graph;
  return withoutDeadCode(editor.finish());
}

interface Around {
  readonly editor: GraphEditor;
  readonly shapes: GraphShapes | null;
  readonly sweep: Sweep;
}

/** The node with rules applied to its sub-graphs. */
function withSimplerBodies(node: Node, { editor, shapes, sweep }: Around): Node {
  if (subGraphsOf(node).length === 0) return node;
  const bodies = shapes?.bodies.get(node) ?? [];
  const before = sweep.changes.length;
  const changed = mapSubGraphs(node, (body) => {
    const of = bodies.find((candidate) => candidate.of === body)?.shapes ?? null;
    return applyToGraph(body, of, editor, sweep);
  });
  if (sweep.changes.length === before) return node;
  editor.replace(node, changed);
  return changed;
}

/** A graph to look at, with the shapes that follow from it. */
export function sceneIn(model: Model, graph: Graph): Scene {
  const opset = model.opsetImports.find(({ domain }) => canonicalDomain(domain) === "")?.version;
  const editor = new GraphEditor(graph, freshNames(namesIn(graph)));
  return sceneOf(editor, inferShapes(model).graph, Number(opset ?? 0n));
}

function sceneOf(editor: GraphEditor, shapes: GraphShapes | null, opset: number): Scene {
  const type = (value: string): TensorType | null => {
    const constant = editor.constant(value);
    if (constant !== null) {
      const { dataType, dims } = constant;
      return { kind: "tensor", elementType: dataType, shape: dims.map(Number) };
    }
    const known = shapes === null ? null : typeOfValue(shapes, value);
    return known?.kind === "tensor" ? known : null;
  };
  return {
    editor,
    opset,
    type,
    shape: (value) => type(value)?.shape ?? null,
    floats(value) {
      const tensor = editor.constant(value);
      if (tensor?.dataType !== "float32") return null;
      const elements = elementsOf(tensor);
      return elements instanceof Float32Array ? elements : null;
    },
    integers(value) {
      const tensor = editor.constant(value);
      if (tensor?.dataType !== "int64" && tensor?.dataType !== "int32") return null;
      return Array.from<number | bigint, number>(elementsOf(tensor), Number);
    },
  };
}
