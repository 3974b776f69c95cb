// The PP-OCRv4 recogniser on rendered lines of text, as examples/ocr reads them: inputs, answers, and
// how many lines come out without a fault.

import { renderLines, type TextLine } from "../../examples/ocr/lines.ts";
import { loadAlphabet, MODEL_FILE, picturesOf, readTexts } from "../../examples/ocr/recogniser.ts";
import { createSession, openModelFile, type Session } from "../../src/engine/index.ts";
import { type Feeds, withDataInside } from "../../src/models/compress/index.ts";
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

/** Which lines a model reads without a fault, blanks at the ends aside, in runs of `batch` lines. */
export async function readLines(
  model: Model,
  lines: readonly TextLine[],
  { batch = 8, threads = 2 }: { readonly batch?: number; readonly threads?: number } = {},
): Promise<readonly boolean[]> {
  const session = await createSession(model, { threads });
  try {
    const right: boolean[] = [];
    for (let start = 0; start < lines.length; start += batch) {
      const part = lines.slice(start, start + batch);
      const texts = await recognise(session, part);
      part.forEach(({ text }, index) => {
        right.push(texts[index]?.trim() === text);
      });
    }
    return right;
  } finally {
    await session.close();
  }
}

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
