// The PP-OCRv4 recogniser with rendered lines, as a subject of slim.

import { loadAlphabet } from "../../examples/ocr/recogniser.ts";
import { createSession } from "../../src/engine/index.ts";
import { samplesFor } from "../../src/models/compress/index.ts";
import { ctcGreedy, type Metric, memoryDataset } from "../../src/models/data/index.ts";
import { samples } from "./lines.ts";
import { loadRecogniserModel } from "./ocr.ts";
import type { Subject } from "./slim-subject.ts";

/** The lines in memory; GODWIT_LINES says how many. */
export async function lineSubject(metric: Metric, margin: number): Promise<Subject> {
  const pictures: Float32Array[] = [];
  const texts: string[] = [];
  let shape: readonly number[] = [];
  for await (const { x, text } of samples()) {
    pictures.push(x.data);
    texts.push(text);
    shape = x.dims;
  }
  const dataset = memoryDataset("rendered lines", [
    {
      ...{ name: "x", dataType: "float32", shape },
      samples: pictures.map((data) => ({ dataType: "float32" as const, dims: shape, data })),
    },
    { name: "text", dataType: "string", shape: [], data: texts },
  ]);
  const model = loadRecogniserModel();
  const session = await createSession(model, { threads: 1 });
  await session.close();
  const alphabet = loadAlphabet();
  const decode = (scores: Parameters<typeof ctcGreedy>[0]) => ctcGreedy(scores, { alphabet });
  return {
    ...{ name: "PP-OCRv4 recogniser", model, dataset, margin },
    judge: { metric, truth: "text", decode },
    samples: samplesFor(dataset, session.inputs, { batch: 8 }),
  };
}
