// A minimal count of the recogniser's operations: multiply-accumulates of Conv and MatMul for one line,
// from the shapes that ONNX Runtime reports. Everything else (activations, normalisation, softmax)
// is left out.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { HEIGHT, WIDTH } from "./lines.ts";
import { MODEL_FILE } from "./recogniser.ts";

/** One node's execution in ONNX Runtime's profile. */
interface NodeEvent {
  readonly args?: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
    readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
  };
}

export const OPERATIONS_SOURCE = "Conv and MatMul only, from the shapes of one run";

/** Multiply-accumulates for one line of text. */
export async function macsPerLine(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "godwit-ocr-"));
  try {
    const session = await InferenceSession.create(MODEL_FILE, {
      // Fused nodes would not show the shapes of the model as it was written.
      graphOptimizationLevel: "disabled",
      enableProfiling: true,
      profileFilePrefix: join(folder, "profile"),
    });
    const [input = ""] = session.inputNames;
    const line = new Float32Array(3 * HEIGHT * WIDTH);
    await session.run({ [input]: new Tensor("float32", line, [1, 3, HEIGHT, WIDTH]) });
    session.endProfiling();
    const [file = ""] = readdirSync(folder);
    const events: NodeEvent[] = JSON.parse(readFileSync(join(folder, file), "utf8"));
    return events.reduce((sum, event) => sum + macsOf(event), 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function macsOf({ args }: NodeEvent): number {
  const output = args?.output_type_shape?.[0];
  const [first, second] = args?.input_type_shape ?? [];
  if (output === undefined || first === undefined || second === undefined) return 0;
  const outputs = elements(output);
  // Each output of a Conv takes one multiply-accumulate a weight of its filter.
  if (args?.op_name === "Conv") return outputs * dims(second).slice(1).reduce(product, 1);
  if (args?.op_name === "MatMul") return outputs * (dims(first).at(-1) ?? 0);
  return 0;
}

const dims = (shape: Readonly<Record<string, readonly number[]>>): readonly number[] =>
  Object.values(shape)[0] ?? [];
const product = (a: number, b: number): number => a * b;
const elements = (shape: Readonly<Record<string, readonly number[]>>): number =>
  dims(shape).reduce(product, 1);
