import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { operators } from "../../../test/operators.ts";
import { createRandom } from "../../core/index.ts";
import { netNamed } from "../nets/index.ts";
import { crossEntropy } from "./losses/index.ts";
import { sgd } from "./optimizers/index.ts";
import { trainableParameters } from "./parameters.ts";
import { buildStep, type StepOptions } from "./step.ts";
import { createTrainer } from "./trainer.ts";

const BATCH = 2;
const nets = { "vgg-small": 28, "resnet-8": 32, "mobilenet-v1-small": 32 };

describe.each(Object.entries(nets))("%s computed again in segments", (name, size) => {
  const net = netNamed(name).build({ operators, size, channels: 1, classes: 3, alpha: 0.25 });
  const options = (recompute: boolean): StepOptions => ({
    ...{ operators, loss: crossEntropy(), optimizer: sgd({ momentum: 0.9 }), recompute },
    inputs: { image: [BATCH, 1, size, size] },
    parameters: trainableParameters(net),
  });

  test("computes each forward node at most twice", () => {
    const nodes = (recompute: boolean): number =>
      buildStep(net, options(recompute)).update.model.graph?.nodes.length ?? 0;
    const again = (buildStep(net, options(true)).update.model.graph?.nodes ?? []).filter(
      ({ name: node }) => /\/again(_\d+)?$/.test(node ?? ""),
    );
    expect(again.length).toBeGreaterThan(1);
    // Forward nodes are those of the net, of its training mode and of the loss.
    expect(new Set(again.map(({ name: node }) => node)).size).toBe(again.length);
    expect(again.length).toBeLessThan(nodes(false) / 2);
    expect(nodes(true)).toBeGreaterThan(nodes(false));
  });

  test.skipIf(nativeMissing !== null)("gives the same gradients, bit by bit", async () => {
    const random = createRandom(4);
    const image = Float32Array.from({ length: BATCH * size * size }, () => random.normal());
    const batch = { image, labels: BigInt64Array.of(0n, 2n) };
    const outcomes = [];
    for (const recompute of [false, true]) {
      const engine = { threads: 1 };
      const trainer = await createTrainer(net, { ...options(recompute), thread: "caller", engine });
      const losses = [await trainer.step([batch], 0.05), await trainer.step([batch], 0.05)];
      outcomes.push({ losses, state: trainer.state() });
      await trainer.close();
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });
});
