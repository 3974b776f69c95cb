import { describe, expect, it } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { randomFloats, runModel } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import { inferShapes } from "../../onnx/index.ts";
import { type Net, nets } from "./index.ts";

const small = nets.filter(({ input }) => input.size < 100);
const sizes = (net: Net): readonly number[] =>
  /^(mlp|lenet)/.test(net.name) ? [net.input.size] : [8, 28, 32, 64];
const cases = small.flatMap((net) => sizes(net).map((size) => [net.name, size, net] as const));

describe.skipIf(nativeMissing)("in ONNX Runtime", () => {
  it.each(cases)("%s takes %d pixels and tells images apart", async (_, size, net) => {
    const { channels } = net.input;
    const { scores } = await runModel(net.build({ operators, size }), {
      image: randomFloats([2, channels, size, size], 1),
    });
    expect(scores?.dims).toEqual([2, 10]);
    const values = Array.from((scores?.data ?? []) as ArrayLike<number>);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values.slice(0, 10)).not.toEqual(values.slice(10));
  });
});

it.each(nets.map((net) => [net.name, net] as const))(
  "%s has no shape that is not known",
  (_, net) => {
    const { graph, faults } = inferShapes(net.build({ operators }));
    expect(faults).toEqual([]);
    expect(
      [...graph.values.values()].filter((type) => type?.kind !== "tensor" || !type.shape),
    ).toEqual([]);
  },
);
