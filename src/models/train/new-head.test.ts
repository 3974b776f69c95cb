import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { operators } from "../../../test/operators.ts";
import { smallData, smallNet } from "../../../test/small-net.ts";
import { createSession } from "../../engine/index.ts";
import { checkModel, type Model, modelBuilder, tensorOf } from "../../onnx/index.ts";
import { netNamed } from "../nets/index.ts";
import { logitsOf, withNewHead } from "./new-head.ts";

const initializer = (model: Model, name: string) =>
  model.graph?.initializers.find((tensor) => tensor.name === name);

describe("a new head", () => {
  test("has the new number of classes and leaves all else as it was", async () => {
    const model = withNewHead(smallNet(), { operators, classes: 7, seed: 1 });
    expect(checkModel(model, operators)).toEqual([]);
    expect(initializer(model, "scores/weight")?.dims).toEqual([8n, 7n]);
    expect(initializer(model, "scores/bias")?.dims).toEqual([7n]);
    expect(initializer(model, "hidden/weight")).toEqual(initializer(smallNet(), "hidden/weight"));
    if (nativeMissing !== null) return;
    const session = await createSession(model, { threads: 1 });
    const { scores } = await session.run({ x: smallData(5).x });
    await session.close();
    expect(scores?.dims).toEqual([5, 7]);
  });

  test.each(["lenet-5", "mobilenet-v1-small", "squeezenet-small", "resnet-8"])(
    "is found at the end of %s",
    (name) => {
      const net = netNamed(name).build({ operators });
      const model = withNewHead(net, { operators, classes: 3, seed: 1 });
      expect(checkModel(model, operators)).toEqual([]);
      const changed = (model.graph?.initializers ?? []).filter(
        ({ dims }, at) => String(dims) !== String(net.graph?.initializers[at]?.dims),
      );
      expect(changed.length).toBeGreaterThan(0);
      for (const { dims } of changed) expect(dims).toContain(3n);
    },
  );

  test("is refused where the model ends in something else", () => {
    const g = modelBuilder({ operators });
    const x = g.input("x", "float32", ["batch", 4]);
    g.output(g.op("Exp", [x]), { name: "y" });
    expect(() => withNewHead(g.finish(), { operators, classes: 3, seed: 1 })).toThrow(
      "the last layer of the model was not found",
    );
  });
});

test("logits are what a final Softmax reads", () => {
  const g = modelBuilder({ operators });
  const x = g.input("x", "float32", ["batch", 4]);
  const w = g.initializer("w", tensorOf("float32", { dims: [4, 2], values: new Float32Array(8) }));
  const logits = g.op("MatMul", [x, w]);
  g.output(g.op("Softmax", [logits]), { name: "y" });
  expect(logitsOf(g.finish())).toBe(logits);
  expect(logitsOf(smallNet())).toBe("scores");
});
