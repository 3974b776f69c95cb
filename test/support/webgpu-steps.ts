// Run as a process of its own, because a graphics driver may end it: training steps of small networks on
// WebGPU and on the CPU. Prints, for each, the losses and the largest relative difference of parameters.

import { createRandom } from "../../src/core/index.ts";
import { relativeDifference } from "../../src/engine/self-check.ts";
import { netNamed } from "../../src/models/nets/index.ts";
import {
  createTrainer,
  crossEntropy,
  sgd,
  trainableParameters,
} from "../../src/models/train/index.ts";
import { operators } from "../operators.ts";

const BATCH = 4;
const STEPS = 2;

export interface Compared {
  readonly net: string;
  readonly losses: readonly [webgpu: readonly number[], cpu: readonly number[]];
  readonly difference: number;
}

async function train(net: string, size: number, runtime: "webgpu" | "onnxruntime-node") {
  const definition = netNamed(net);
  const model = definition.build({ operators, size, classes: 4, channels: 1, seed: 1 });
  const random = createRandom(7);
  const shape = [BATCH, 1, size, size];
  const image = Float32Array.from({ length: BATCH * size * size }, () => random.normal());
  const trainer = await createTrainer(model, {
    operators,
    loss: crossEntropy(),
    optimizer: sgd(),
    inputs: { image: shape },
    parameters: trainableParameters(model),
    thread: "caller",
    engine: { runtime, threads: 1 },
  });
  const [target] = trainer.targets;
  if (target === undefined) throw new Error("the step has no target");
  const labels = {
    dataType: "int64",
    dims: [BATCH],
    data: BigInt64Array.of(0n, 1n, 2n, 3n),
  } as const;
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    losses.push((await trainer.step([{ image, [target.input]: labels }], 0.05)).loss);
  }
  const { arrays } = trainer.state();
  await trainer.close();
  return { losses, arrays };
}

const rows: Compared[] = [];
for (const [net, size] of JSON.parse(process.argv[2] ?? "[]") as readonly [string, number][]) {
  const device = await train(net, size, "webgpu");
  const cpu = await train(net, size, "onnxruntime-node");
  const differences = [...cpu.arrays].map(([name, data]) => {
    const dims = [data.length];
    const of = (values: Float32Array | undefined) =>
      values === undefined ? undefined : ({ dataType: "float32", dims, data: values } as const);
    const expected = of(data);
    return expected === undefined ? 0 : relativeDifference(of(device.arrays.get(name)), expected);
  });
  rows.push({ net, losses: [device.losses, cpu.losses], difference: Math.max(...differences) });
}
console.log(JSON.stringify(rows));
