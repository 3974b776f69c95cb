import { expect, it } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { weightsOf, withWeights } from "../../../test/layer-model.ts";
import { randomFloats, runModel } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import { countModel } from "../../measure/profile/index.ts";
import { extendModel, type Model } from "../../onnx/index.ts";
import { differentiate } from "../train/index.ts";
import { type Net, type NetOptions, netNamed, nets } from "./index.ts";

/** The mean of squared scores of two images, and its gradients by all that is trained. */
function withGradients(net: Net, options: Omit<NetOptions, "operators"> = {}) {
  const plain = net.build({ operators, ...options });
  const parameters = countModel(plain)
    .tensors.filter(({ role }) => role === "trainable")
    .map(({ name }) => name);
  const builder = extendModel(plain, { operators });
  const squares = builder.op("Mul", ["scores", "scores"]);
  const loss = builder.op({ type: "ReduceMean", name: "loss" }, [squares], { keepdims: false });
  builder.output(loss);
  const model = builder.finish();
  const dims = [2, net.input.channels, net.input.size, net.input.size];
  const shapes = { inputs: { image: dims } };
  const step = differentiate(model, { operators, loss, parameters, shapes });
  return { model, step, dims };
}

it.each(nets.map((net) => [net.name, net] as const))(
  "%s has gradients for all that is trained",
  (_, net) => {
    const { step } = withGradients(net);
    expect(step.gradients.size).toBe(
      countModel(net.build({ operators })).tensors.filter(({ role }) => role === "trainable")
        .length,
    );
  },
);

const NARROW = [
  "vgg-small",
  "googlenet-small",
  "resnet-8",
  "mobilenet-v1-small",
  "mobilenet-v2-small",
  "shufflenet-small",
  "squeezenet-small",
  "flattened-cnn",
];
const cases = [
  ["lenet-5-1998", {}] as const,
  ...NARROW.map((name) => [name, { alpha: 0.25 }] as const),
];

// Along its own gradient g, a function grows by |g|^2 a unit.
it.skipIf(nativeMissing).each(cases)(
  "%s grows along its gradient as fast as that says",
  async (name, options) => {
    const { model, step, dims } = withGradients(netNamed(name), options);
    const image = randomFloats(dims, 3);
    const builder = extendModel(step.model, { operators });
    for (const [of, value] of step.gradients) builder.output(value, { name: `gradient of ${of}` });
    const found = await runModel(builder.finish(), { image });
    const weights = weightsOf(model);
    const gradients = [...step.gradients.keys()].map((of) => {
      const values = Array.from((found[`gradient of ${of}`]?.data ?? []) as ArrayLike<number>);
      expect(values.length).toBe(weights[of]?.length);
      return [of, values] as const;
    });
    const slope = gradients.flatMap(([, values]) => values).reduce((sum, g) => sum + g ** 2, 0);
    const moved = (by: number): Model =>
      withWeights(
        model,
        Object.fromEntries(
          gradients.map(([of, values]) => [
            of,
            values.map((g, index) => (weights[of]?.[index] ?? Number.NaN) + by * g),
          ]),
        ),
      );
    const lossOf = async (of: Model): Promise<number> =>
      Number((await runModel(of, { image }))["loss"]?.data[0]);
    // So small that the loss changes by about a hundredth.
    const size = (0.005 * Number(found["loss"]?.data[0])) / slope;
    const difference = ((await lossOf(moved(size))) - (await lossOf(moved(-size)))) / (2 * size);
    expect(difference / slope).toBeCloseTo(1, 2);
  },
);
