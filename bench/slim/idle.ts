// An idle service: a feed-forward block of 768 and 3072 units called 20 times a second, one row a call. Session
// settings alone decide what it burns in between.

import { createRandom, seconds } from "../../src/core/index.ts";
import { createSession, type EngineOptions } from "../../src/engine/index.ts";
import { measureCosts, settingText } from "../../src/models/compress/index.ts";
import { modelBuilder } from "../../src/onnx/index.ts";
import { operators } from "../../test/operators.ts";

const [WIDTH, HIDDEN, RATE] = [768, 3072, 20];

/** Lines of the table. */
export async function idleService(): Promise<readonly string[]> {
  const random = createRandom(1);
  const g = modelBuilder({ operators, name: "feed-forward" });
  const weights = (dims: readonly [number, number]) =>
    g.constant("float32", {
      dims,
      values: Array.from({ length: dims[0] * dims[1] }, () => random.normal() / Math.sqrt(dims[0])),
    });
  const x = g.input("x", "float32", ["batch", WIDTH]);
  const hidden = g.op("Relu", [g.op("MatMul", [x, weights([WIDTH, HIDDEN])])]);
  g.output(g.op("MatMul", [hidden, weights([HIDDEN, WIDTH])]), { name: "y" });
  const model = g.finish();
  const row = Float32Array.from({ length: WIDTH }, () => random.normal());
  const feeds = { x: { dataType: "float32" as const, dims: [1, WIDTH], data: row } };
  const settings: readonly EngineOptions[] = [
    { threads: 2, spinning: true },
    { threads: 2, spinning: false },
    { threads: 1, spinning: false },
  ];
  const costs = [];
  // One session at a time: threads of another would spin into its rounds.
  for (const of of settings) {
    const session = await createSession(model, of);
    const variant = { name: settingText(of), run: () => session.run(feeds) };
    const [cost] = await measureCosts([variant], {
      ...{ rounds: 5, roundTime: seconds(2), interval: seconds(1 / RATE) },
    });
    await session.close();
    costs.push(cost);
  }
  const base = costs[0]?.cpu.median ?? 0;
  return costs.map(
    (cost) =>
      `  ${cost?.name}: ${(1000 * (cost?.cpu.median ?? 0)).toFixed(2)} CPU ms a call (${(1000 * (cost?.cpu.low ?? 0)).toFixed(2)} to ${(1000 * (cost?.cpu.high ?? 0)).toFixed(2)}), ${(base / (cost?.cpu.median ?? 1)).toFixed(1)}x less`,
  );
}
