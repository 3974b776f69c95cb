// A model with exits as a chain of models, for batches: each stage runs on the rows that are still there.

import type { Feed, Outputs, TensorValue } from "../../../engine/index.ts";
import type { Model, Tensor, ValueInfo } from "../../../onnx/index.ts";
import { confidencePiece, scoresPiece } from "./head.ts";
import { partOf } from "./part.ts";
import { type ExitDesign, givesProbabilities, onlyOutput } from "./segments.ts";

/** One model of the chain, and what its outputs are called. */
export interface Stage {
  readonly model: Model;
  /** Scores of a row that leaves here. */
  readonly scores: string;
  /** Null for the last stage, where all leave. */
  readonly confidence: string | null;
  /** What the next stage takes; null for the last. */
  readonly carry: string | null;
  readonly threshold: number;
}

/** The stages of a model with exits, one more than heads. */
export function exitStages(design: ExitDesign): readonly Stage[] {
  const { model, heads, thresholds, confidence } = design;
  const { graph, output } = onlyOutput(model);
  const inputs = graph.inputs.map(({ name }) => name);
  const stages = heads.map((head, at): Stage => {
    const from = at === 0 ? inputs : [heads[at - 1]?.value ?? ""];
    const prefix = `exit${at + 1}`;
    const part = partOf(model, { inputs: from, outputs: [head.value] });
    const scores = scoresPiece(head, prefix);
    const sure = confidencePiece(scores.output, confidence, prefix);
    const taken = givesProbabilities(model) ? `${prefix}/probabilities` : scores.output;
    return {
      model: extended(part, [scores, sure], [taken, sure.output]),
      scores: taken,
      confidence: sure.output,
      carry: head.value,
      threshold: thresholds[at] ?? Number.POSITIVE_INFINITY,
    };
  });
  const last = heads.at(-1)?.value;
  const rest = last === undefined ? model : partOf(model, { inputs: [last], outputs: [output] });
  const end = { scores: output, confidence: null, carry: null, threshold: 0 };
  return [...stages, { ...end, model: rest }];
}

function extended(
  model: Model,
  pieces: readonly {
    readonly nodes: readonly object[];
    readonly initializers: readonly Tensor[];
  }[],
  outputs: readonly string[],
): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const added = outputs.map((name): ValueInfo => ({ name, metadata: [] }));
  return {
    ...model,
    graph: {
      ...graph,
      nodes: [...graph.nodes, ...pieces.flatMap(({ nodes }) => nodes as typeof graph.nodes)],
      initializers: [...graph.initializers, ...pieces.flatMap((piece) => piece.initializers)],
      outputs: [...graph.outputs, ...added],
    },
  };
}

/** What runs a stage: a session. */
export interface StageRunner {
  run(feeds: Readonly<Record<string, Feed>>): Promise<Outputs>;
}

export interface StagesResult {
  /** Scores of every row, in the order of the rows. */
  readonly scores: TensorValue;
  /** The exit that each row took; the number of heads for the end. */
  readonly exits: Int32Array;
}

/** Runs a batch through the stages; rows that leave are taken out before the next stage. */
export async function runStages(
  stages: readonly Stage[],
  runners: readonly StageRunner[],
  feeds: Readonly<Record<string, TensorValue>>,
): Promise<StagesResult> {
  const rows = Object.values(feeds)[0]?.dims[0] ?? 0;
  const exits = new Int32Array(rows).fill(stages.length - 1);
  let left = Array.from({ length: rows }, (_, row) => row);
  let current: Readonly<Record<string, TensorValue>> = feeds;
  let scores: Float32Array | null = null;
  let classes = 0;
  for (const [at, stage] of stages.entries()) {
    if (left.length === 0) break;
    const outputs = await runners[at]?.run(current);
    const own = outputNamed(outputs, stage.scores);
    classes = own.data.length / left.length;
    scores ??= new Float32Array(rows * classes);
    const sure =
      stage.confidence === null ? null : floatsOf(outputNamed(outputs, stage.confidence));
    const stay: number[] = [];
    for (const [position, row] of left.entries()) {
      if (sure !== null && (sure[position] ?? 0) < stage.threshold) {
        stay.push(position);
        continue;
      }
      exits[row] = at;
      const line = floatsOf(own).subarray(position * classes, (position + 1) * classes);
      scores.set(line, row * classes);
    }
    if (stage.carry === null) break;
    const carried = outputNamed(outputs, stage.carry);
    current = { [stage.carry]: stay.length === left.length ? carried : rowsAt(carried, stay) };
    left = stay.map((position) => left[position] ?? 0);
  }
  const data = scores ?? new Float32Array();
  return { scores: { dataType: "float32", dims: [rows, classes], data }, exits };
}

function outputNamed(outputs: Outputs | undefined, name: string): TensorValue {
  const value = outputs?.[name];
  if (value === undefined) throw new TypeError(`a stage without its output "${name}"`);
  return value;
}

function floatsOf({ data }: TensorValue): Float32Array {
  if (!(data instanceof Float32Array)) throw new TypeError("a stage's outputs are float32");
  return data;
}

function rowsAt(value: TensorValue, rows: readonly number[]): TensorValue {
  const [count = 1, ...rest] = value.dims;
  const length = value.data.length / count;
  const data = new Float32Array(rows.length * length);
  for (const [to, from] of rows.entries()) {
    data.set(floatsOf(value).subarray(from * length, (from + 1) * length), to * length);
  }
  return { dataType: "float32", dims: [rows.length, ...rest], data };
}
