// The PP-OCRv4 recogniser on rendered lines of text, as examples/ocr reads them: inputs, answers, and
// how many lines come out without a fault.

import { renderLines, type TextLine } from "../../examples/ocr/lines.ts";
import { loadAlphabet, MODEL_FILE, picturesOf, readTexts } from "../../examples/ocr/recogniser.ts";
import {
  createSession,
  openModelFile,
  type Session,
  type TensorValue,
} from "../../src/engine/index.ts";
import { type Feeds, withDataInside } from "../../src/models/compress/index.ts";
import { characterErrorRate, exactMatch } from "../../src/models/data/index.ts";
import type { Model } from "../../src/onnx/index.ts";

export { renderLines };

/** The published model, its weights in memory. */
export function loadRecogniserModel(): Model {
  const opened = openModelFile(MODEL_FILE);
  return withDataInside(opened.model, opened.external);
}

/** The lines as inputs of one run. */
export const feedsOf = (lines: readonly TextLine[]): Feeds => ({
  x: { dataType: "float32", ...picturesOf(lines) },
});

/** How well a model reads lines. */
export interface Reading {
  /** Which lines come out without a fault. */
  readonly right: readonly boolean[];
  /** Edits over characters, of all lines. */
  readonly characterErrors: number;
}

/** Reads lines in runs of `batch`; judged by the metrics that `godwit slim` has. */
export async function readLines(
  model: Model,
  lines: readonly TextLine[],
  { batch = 8, threads = 2 }: { readonly batch?: number; readonly threads?: number } = {},
): Promise<Reading> {
  const session = await createSession(model, { threads });
  try {
    const read: string[] = [];
    for (let start = 0; start < lines.length; start += batch) {
      read.push(...(await recognise(session, lines.slice(start, start + batch))));
    }
    const truth = textsOf(lines.map(({ text }) => text));
    const { scores } = exactMatch.of(textsOf(read), truth);
    return {
      right: [...(scores ?? [])].map((score) => score === 1),
      characterErrors: characterErrorRate.of(textsOf(read), truth).value,
    };
  } finally {
    await session.close();
  }
}

const textsOf = (data: readonly string[]): TensorValue => ({
  dataType: "string",
  dims: [data.length],
  data,
});

const alphabet = loadAlphabet();

/** The texts that a session reads in one run. */
export async function recognise(
  session: Session,
  lines: readonly TextLine[],
): Promise<readonly string[]> {
  const [output] = Object.values(await session.run(feedsOf(lines)));
  if (!(output?.data instanceof Float32Array)) throw new TypeError("the recogniser gave no scores");
  return readTexts({ data: output.data, dims: output.dims }, alphabet);
}

export const accuracyOf = (right: readonly boolean[]): number =>
  right.filter(Boolean).length / right.length;
