import { describe, expect, it } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { randomFloats, runModel } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import { inferShapes } from "../../onnx/index.ts";
import { nets } from "./index.ts";

const small = nets.filter(({ input }) => input.size < 100);

describe.skipIf(nativeMissing)("in ONNX Runtime", () => {
  it.each(small.map((net) => [net.name, net] as const))(
    "%s gives finite scores that differ between images",
    async (_, net) => {
      const { channels, size } = net.input;
      const { scores } = await runModel(net.build({ operators }), {
        image: randomFloats([2, channels, size, size], 1),
      });
      expect(scores?.dims).toEqual([2, net.classes]);
      const values = Array.from((scores?.data ?? []) as ArrayLike<number>);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(values.slice(0, net.classes)).not.toEqual(values.slice(net.classes));
    },
  );
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
