import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { operators } from "../../../../test/operators.ts";
import { createSession } from "../../../engine/index.ts";
import { type Model, modelBuilder } from "../../../onnx/index.ts";
import { type UpdateOptions, withOptimizer } from "../with-optimizer.ts";
import { adagrad, adam, adamW, lion, type Optimizer, rmsProp, sgd } from "./index.ts";

// test/fixtures/optimizers/generate.py made it with PyTorch 1.13 in float64.
const stored = JSON.parse(
  readFileSync(
    new URL("../../../../test/fixtures/optimizers/optimizers.json", import.meta.url),
    "utf8",
  ),
) as {
  readonly rate: number;
  readonly start: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly sequences: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly clip: { longest: number; norm: number; clipped: readonly (readonly number[])[] };
};

/** A model of parameters alone: their gradients are inputs. */
function parameters(values: Readonly<Record<string, readonly number[]>>): {
  readonly model: Model;
  readonly gradients: ReadonlyMap<string, string>;
} {
  const g = modelBuilder({ operators });
  const gradients = Object.entries(values).map(([name, start]) => {
    const dims = [start.length];
    g.initializer(name, {
      ...{ dims: dims.map(BigInt), dataType: "float32", metadata: [] },
      data: { kind: "float32", values: Float32Array.from(start) },
    });
    g.output(g.op("Identity", [name]), { name: `${name} out` });
    return [name, g.input(`d${name}`, "float32", dims)] as const;
  });
  return { model: g.finish(), gradients: new Map(gradients) };
}

/** Runs steps as a trainer does, state over itself where that is allowed; gives `p` and norms. */
async function train(
  of: Readonly<Record<string, readonly number[]>>,
  gradients: readonly Readonly<Record<string, readonly number[]>>[],
  options: UpdateOptions & { readonly learningRate?: number },
) {
  const made = parameters(of);
  const update = withOptimizer(made.model, { ...options, ...made, operators });
  const session = await createSession(update.model, { threads: 1 });
  let state = new Map(
    update.entries.map(({ name, input, dims, role }) => {
      const start = role === "average" ? of[name.replace("average/", "")] : of[name];
      const size = dims.reduce((product, dim) => product * dim, 1);
      return [input, Float32Array.from(start ?? new Array<number>(size).fill(0))];
    }),
  );
  const rows: Readonly<Record<string, readonly number[]>>[] = [];
  for (const [index, gradient] of gradients.entries()) {
    const next = new Map(
      update.entries.map(({ input, inPlace }) => {
        const old = state.get(input) ?? new Float32Array();
        return [input, inPlace ? old : new Float32Array(old.length)];
      }),
    );
    const fed = Object.entries(gradient).map(([name, values]) => [
      `d${name}`,
      Float32Array.from(values),
    ]);
    const scalars = Object.entries(
      update.scalars(index + 1, options.learningRate ?? stored.rate),
    ).map(([name, value]) => [name, Float32Array.of(value)]);
    const outputs = await session.run(Object.fromEntries([...state, ...fed, ...scalars]), {
      into: Object.fromEntries(
        update.entries.map(({ input, output }) => [output, next.get(input) ?? new Float32Array()]),
      ),
    });
    state = next;
    const norm = update.norm === null ? [] : [["norm", [...(outputs[update.norm]?.data ?? [])]]];
    rows.push(
      Object.fromEntries([...[...state].map(([name, data]) => [name, [...data]]), ...norm]),
    );
  }
  await session.close();
  return rows;
}

const sequence = (
  optimizer: Optimizer,
  options: Partial<UpdateOptions> & { readonly learningRate?: number } = {},
) =>
  train(
    { p: stored.start },
    stored.gradients.map((p) => ({ p })),
    { optimizer, groups: () => ({ decay: 1, rate: 1 }), ...options },
  );

/** Largest difference, relative to 1 or to the larger number. */
const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(
    ...a.map((x, i) => Math.abs(x - (b[i] ?? 0)) / Math.max(1, Math.abs(x), Math.abs(b[i] ?? 0))),
  );

describe.skipIf(nativeMissing !== null)("an optimiser takes PyTorch's steps", () => {
  const cases: readonly (readonly [string, Optimizer])[] = [
    ["sgd", sgd()],
    ["sgd-decay", sgd({ weightDecay: 0.1 })],
    ["momentum-decay", sgd({ momentum: 0.9, weightDecay: 0.1 })],
    ["nesterov-decay", sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.1 })],
    ["adam", adam()],
    ["adam-decay", adam({ weightDecay: 0.1, betas: [0.8, 0.95], epsilon: 1e-3 })],
    ["adamw", adamW({ weightDecay: 0.1 })],
    ["rmsprop", rmsProp({ alpha: 0.9 })],
    [
      "rmsprop-momentum-decay",
      rmsProp({ alpha: 0.9, momentum: 0.8, weightDecay: 0.1, epsilon: 1e-3 }),
    ],
    ["adagrad", adagrad({ rateDecay: 0.1, weightDecay: 0.1 })],
  ];
  test.each(cases)("%s", async (name, optimizer) => {
    const rows = await sequence(optimizer);
    const expected = stored.sequences[name] ?? [];
    expect(expected).toHaveLength(rows.length);
    const errors = rows.map(({ p = [] }, step) => distance(p, expected[step] ?? []));
    expect(Math.max(...errors)).toBeLessThan(2e-6);
  });
});

// Chen et al. 2023, algorithm 2, element by element.
test.skipIf(nativeMissing !== null)("Lion takes the steps of its definition", async () => {
  const [b1, b2, decay] = [0.9, 0.99, 0.1];
  const p = [...stored.start];
  const m = p.map(() => 0);
  const expected = stored.gradients.map((gradient) => {
    gradient.forEach((g, i) => {
      const direction = Math.sign(b1 * (m[i] ?? 0) + (1 - b1) * g);
      p[i] = (p[i] ?? 0) - stored.rate * (direction + decay * (p[i] ?? 0));
      m[i] = b2 * (m[i] ?? 0) + (1 - b2) * g;
    });
    return [...p];
  });
  const rows = await sequence(lion({ weightDecay: decay }));
  rows.forEach((row, step) => {
    expect(distance(row["p"] ?? [], expected[step] ?? [])).toBeLessThan(2e-6);
  });
});

describe.skipIf(nativeMissing !== null)("around the optimiser", () => {
  test("a long gradient is shortened over all parameters, as by clip_grad_norm_", async () => {
    const [a = [], b = [], c = []] = stored.gradients.slice(3);
    const zero = { a: [0, 0, 0, 0], b: [0, 0, 0, 0], c: [0, 0, 0, 0] };
    const { clip, rate } = stored;
    const [row = {}] = await train(zero, [{ a, b, c }], {
      optimizer: sgd(),
      clipNorm: clip.longest,
    });
    expect(row["norm"]?.[0]).toBeCloseTo(clip.norm, 4);
    for (const [index, name] of ["a", "b", "c"].entries()) {
      const step = (row[name] ?? []).map((value) => -value / rate);
      expect(distance(step, clip.clipped[index] ?? [])).toBeLessThan(1e-5);
    }
  });

  test("a short one is left as it is", async () => {
    const plain = await sequence(sgd());
    const clipped = await sequence(sgd(), { clipNorm: 1e9 });
    expect(clipped.map(({ p }) => p)).toEqual(plain.map(({ p }) => p));
  });

  test("by default biases and scales do not decay, and a group has a rate of its own", async () => {
    const gradients = stored.gradients.map((p) => ({ p }));
    const optimizer = adamW({ weightDecay: 0.5 });
    const still = await train({ p: stored.start }, gradients, { optimizer });
    const without = await sequence(adamW({ weightDecay: 0 }));
    expect(still.map(({ p }) => p)).toEqual(without.map(({ p }) => p));
    const slow = await sequence(sgd(), { groups: () => ({ decay: 1, rate: 0.5 }) });
    const [first] = slow;
    const expected = stored.start.map(
      (value, i) => value - 0.5 * stored.rate * (stored.gradients[0]?.[i] ?? 0),
    );
    expect(distance(first?.["p"] ?? [], expected)).toBeLessThan(1e-6);
  });

  test("the moving average follows the parameters it is fed", async () => {
    const rows = await sequence(sgd({ momentum: 0.9 }), { average: 0.7 });
    let average = [...stored.start];
    for (const row of rows) {
      average = average.map((value, i) => 0.7 * value + 0.3 * (row["p"]?.[i] ?? 0));
      expect(distance(row["average/p"] ?? [], average)).toBeLessThan(1e-6);
    }
  });

  test("a rate of 0 leaves every parameter as it was, bit by bit", async () => {
    for (const optimizer of [sgd({ momentum: 0.9 }), adamW(), rmsProp(), adagrad(), lion()]) {
      const rows = await sequence(optimizer, { learningRate: 0 });
      for (const { p } of rows) expect(p).toEqual([...Float32Array.from(stored.start)]);
    }
  });
});

test("settings that cannot be are refused", () => {
  expect(() => sgd({ momentum: 1 })).toThrow("momentum lies in [0, 1)");
  expect(() => sgd({ nesterov: true })).toThrow("needs a momentum");
  expect(() => adam({ betas: [0.9, 1] })).toThrow("the second beta");
  expect(() => rmsProp({ epsilon: -1 })).toThrow("epsilon");
});
