// A thousand single inferences of a model file, as JSON: a process of its own, so that what it costs is its own.
//
//   node bench/cnn/infer.ts model.onnx

import { readFileSync } from "node:fs";
import { createRandom, quantile } from "../../src/core/index.ts";
import { createSession } from "../../src/engine/index.ts";
import { measure } from "../../src/index.ts";
import { countNet } from "../../src/models/nets/index.ts";
import { decodeModel, memorySource } from "../../src/onnx/index.ts";
import { cpuMs } from "../engine/figures.ts";
import { type Inference, intervalOf } from "./row.ts";

const INFERENCES = 1000;

async function thousand(file: string): Promise<Inference> {
  const model = decodeModel(memorySource(new Uint8Array(readFileSync(file))));
  const { parameters, macs } = countNet(model);
  const [input] = model.graph?.inputs ?? [];
  const type = input?.type;
  if (input === undefined || type?.kind !== "tensor") throw new Error("the model has no input");
  const dims = (type.shape ?? []).map(({ value }) => Number(value ?? 1n));
  const random = createRandom(1);
  const data = Float32Array.from({ length: dims.reduce((all, dim) => all * dim, 1) }, () =>
    random.uniform(),
  );
  const session = await createSession(model, { threads: 1 });
  const feeds = { [input.name]: { dataType: "float32", dims, data } } as const;
  for (let at = 0; at < 50; at++) await session.run(feeds);
  const times: number[] = [];
  const { energy } = await measure("a thousand inferences", async () => {
    for (let at = 0; at < INFERENCES; at++) {
      const start = process.cpuUsage();
      await session.run(feeds);
      times.push(cpuMs(start));
    }
  });
  await session.close();
  const sorted = times.toSorted((a, b) => a - b);
  const [low = 0, value = 0, high = 0] = [0.25, 0.5, 0.75].map((p) => quantile(sorted, p));
  return {
    ...{ parameters, macs },
    inferenceMs: { low, value, high },
    inferenceJoules: intervalOf(energy),
  };
}

console.log(JSON.stringify(await thousand(process.argv[2] ?? "")));
