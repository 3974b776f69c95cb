// Distillation: a smaller network, pruned, factorised or another one altogether, learns from the original
// on samples without labels. Method notes: docs/methods/distillation.md.

import { createRandom } from "../../../core/index.ts";
import { extendModel, inferShapes, type Model, typeOfValue } from "../../../onnx/index.ts";
import type { Dataset } from "../../data/index.ts";
import { withoutDeadCode } from "../simplify/dead-code.ts";
import { type Match, matchedValue, matching } from "./matching.ts";
import { type Learned, type TeachingOptions, train } from "./student.ts";
import { teach } from "./taught.ts";

export interface DistilOptions extends TeachingOptions {
  readonly teacher: Model;
  /** Samples under the names of the models' inputs; labels are not read. */
  readonly data: Dataset;
  /** Default: the logits of the only output. */
  readonly matches?: readonly Match[];
  /** Of softened logits. Default: 4. */
  readonly temperature?: number;
  /** Channels of a value that the student still has, as `prune` tells; null for all. */
  readonly kept?: (value: string) => readonly number[] | null;
}

/** Trains all of a student at once. What does not help on samples left out is not kept. */
export async function distil(student: Model, options: DistilOptions): Promise<Learned> {
  const { teacher, data, temperature, kept, signal } = options;
  const matches = options.matches ?? [{ value: logitsOf(student), kind: "logits" }];
  const { dataset, energies } = await teach(teacher, data, matches, {
    operators: options.operators,
    ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
    ...(kept === undefined ? {} : { kept }),
    ...(signal === undefined ? {} : { signal }),
  });
  const projected = await withProjections(student, matches, { ...options, dataset });
  const loss = matching(matches, {
    energies,
    ...(temperature === undefined ? {} : { temperature }),
  });
  const predictions = matches.map(matchedValue);
  const learned = await train(projected, { dataset, loss, predictions }, options);
  const { graph } = learned.model;
  const model = graph === undefined ? student : { ...learned.model, graph: withoutDeadCode(graph) };
  return { ...learned, model: learned.kept ? model : student };
}

/** The value that a closing Softmax reads, or the output itself. */
export function logitsOf({ graph }: Model): string {
  const [output] = graph?.outputs ?? [];
  const last = graph?.nodes.find(({ outputs }) => outputs.includes(output?.name ?? ""));
  const softmax = last?.opType === "Softmax" || last?.opType === "LogSoftmax";
  return (softmax ? last.inputs[0] : output?.name) ?? "";
}

/** The student with a linear map beside each value whose features have another width than the teacher's. */
async function withProjections(
  student: Model,
  matches: readonly Match[],
  { operators, seed, dataset }: DistilOptions & { readonly dataset: Dataset },
): Promise<Model> {
  const wanted = matches.filter(({ project }) => project === true);
  if (wanted.length === 0) return student;
  const builder = extendModel(student, { operators });
  const shapes = inferShapes(student).graph;
  const random = createRandom(seed);
  for (const match of wanted) {
    const type = typeOfValue(shapes, match.value);
    const shape = type?.kind === "tensor" ? (type.shape ?? []) : [];
    const taught =
      dataset.columns.find(({ name }) => name === `teacher ${match.value}`)?.shape ?? [];
    const isMap = shape.length > 3;
    const [from, to] = isMap
      ? [Number(shape[1]), Number(taught[0])]
      : [Number(shape.at(-1)), Number(taught.at(-1))];
    const values = Float32Array.from(
      { length: from * to },
      () => random.normal() / Math.sqrt(from),
    );
    const positions = shape.slice(2).map(() => 1);
    const weights = builder.constant("float32", {
      name: `${match.value}/projection`,
      dims: isMap ? [to, from, ...positions] : [from, to],
      values,
    });
    const name = matchedValue(match);
    builder.op({ type: isMap ? "Conv" : "MatMul", name }, [match.value, weights]);
  }
  return builder.finish();
}
