import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { operators } from "../../../../test/operators.ts";
import { createRandom } from "../../../core/index.ts";
import { createSession } from "../../../engine/index.ts";
import { modelBuilder } from "../../../onnx/index.ts";
import { withLoss } from "../with-loss.ts";
import {
  bayesianRanking,
  binaryCrossEntropy,
  crossEntropy,
  distillation,
  huber,
  klDivergence,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
  pinball,
} from "./index.ts";

const [BATCH, CLASSES] = [5, 4];
const random = createRandom(3);
const draw = (count: number, scale = 3): number[] =>
  Array.from({ length: count }, () => Math.fround(scale * random.normal()));
const LOGITS = draw(BATCH * CLASSES);
const OTHER = draw(BATCH * CLASSES);
const LABELS = [0, 3, 1, 1, 2];

const rows = (values: readonly number[], width = CLASSES): readonly (readonly number[])[] =>
  Array.from({ length: values.length / width }, (_, row) =>
    values.slice(row * width, (row + 1) * width),
  );
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** log softmax by its definition, in float64. */
function logSoftmax(row: readonly number[]): readonly number[] {
  const most = Math.max(...row);
  const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0));
  return row.map((x) => x - most - total);
}
const softmax = (row: readonly number[]): readonly number[] => logSoftmax(row).map(Math.exp);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const ce = (logits: readonly number[], smoothing = 0): number =>
  mean(
    rows(logits).map((row, index) =>
      logSoftmax(row).reduce((sum, log, k) => {
        const truth = smoothing / CLASSES + (k === LABELS[index] ? 1 - smoothing : 0);
        return sum - truth * log;
      }, 0),
    ),
  );
const kl = (truth: readonly (readonly number[])[], logits: readonly number[]): number =>
  mean(
    rows(logits).map((row, index) =>
      logSoftmax(row).reduce((sum, log, k) => {
        const t = truth[index]?.[k] ?? 0;
        return t === 0 ? sum : sum + t * (Math.log(t) - log);
      }, 0),
    ),
  );

/** Runs a loss over inputs that stand for a model's outputs. */
async function lossOf(
  loss: Loss,
  predictions: readonly (readonly number[])[],
  targets: Readonly<Record<string, readonly number[]>>,
  shape: readonly number[] = [BATCH, CLASSES],
): Promise<number> {
  const g = modelBuilder({ operators });
  const names = predictions.map((_, index) => g.input(`x${index}`, "float32", shape));
  for (const name of names) g.output(name, { name: `out ${name}` });
  const made = withLoss(g.finish(), {
    operators,
    loss,
    predictions: names.map((name) => `out ${name}`),
  });
  expect(made.targets.map(({ role }) => role).sort()).toEqual(Object.keys(targets).sort());
  const session = await createSession(made.model, { threads: 1 });
  const fed = names.map((name, index) => [name, Float32Array.from(predictions[index] ?? [])]);
  const truths = made.targets.map(({ role, input, dataType }) => {
    const values = targets[role] ?? [];
    return [
      input,
      dataType === "int64" ? BigInt64Array.from(values.map(BigInt)) : Float32Array.from(values),
    ] as const;
  });
  const outputs = await session.run(Object.fromEntries([...fed, ...truths]), {
    outputs: [made.loss],
  });
  await session.close();
  const value = outputs[made.loss];
  expect(value?.dims).toEqual([]);
  return Number(value?.data[0]);
}

describe.skipIf(nativeMissing !== null)("a loss computes its formula", () => {
  test("cross-entropy, plain and smoothed", async () => {
    const labels = LABELS;
    expect(await lossOf(crossEntropy(), [LOGITS], { labels })).toBeCloseTo(ce(LOGITS), 5);
    const smoothed = await lossOf(crossEntropy({ smoothing: 0.1 }), [LOGITS], { labels });
    expect(smoothed).toBeCloseTo(ce(LOGITS, 0.1), 5);
  });

  test("binary cross-entropy, also where a logistic function would overflow", async () => {
    const targets = OTHER.map(sigmoid);
    const expected = mean(
      LOGITS.map((x, i) => {
        const y = targets[i] ?? 0;
        return -y * Math.log(sigmoid(x)) - (1 - y) * Math.log(1 - sigmoid(x));
      }),
    );
    expect(await lossOf(binaryCrossEntropy, [LOGITS], { targets })).toBeCloseTo(expected, 5);
    const far = await lossOf(binaryCrossEntropy, [[200, -200, 200]], { targets: [1, 0, 0] }, [3]);
    expect(far).toBeCloseTo(200 / 3, 4);
  });

  const differences = LOGITS.map((x, i) => x - (OTHER[i] ?? 0));
  const regressions: readonly (readonly [string, Loss, (d: number) => number])[] = [
    ["mse", meanSquaredError, (d) => d * d],
    ["mae", meanAbsoluteError, Math.abs],
    [
      "huber",
      huber({ delta: 1.5 }),
      (d) => (Math.abs(d) <= 1.5 ? (d * d) / 2 : 1.5 * (Math.abs(d) - 0.75)),
    ],
    ["pinball", pinball({ quantiles: [0.9] }), (d) => (d < 0 ? -0.9 * d : 0.1 * d)],
  ];
  test.each(regressions)("%s", async (_, loss, each) => {
    const expected = mean(differences.map(each));
    expect(await lossOf(loss, [LOGITS], { targets: OTHER })).toBeCloseTo(expected, 5);
  });

  test("pinball of several quantiles reads one target for them all", async () => {
    const quantiles = [0.1, 0.25, 0.5, 0.9];
    const targets = OTHER.slice(0, BATCH);
    const expected = mean(
      LOGITS.map((x, i) => {
        const [d, q] = [(targets[Math.floor(i / CLASSES)] ?? 0) - x, quantiles[i % CLASSES] ?? 0];
        return d > 0 ? q * d : (q - 1) * d;
      }),
    );
    expect(await lossOf(pinball({ quantiles }), [LOGITS], { targets })).toBeCloseTo(expected, 5);
  });

  test("divergence, with zeros in the truth; from itself it is 0", async () => {
    const truth = [...rows(OTHER).slice(1).map(softmax), [0, 0.5, 0.5, 0]];
    const value = await lossOf(klDivergence, [LOGITS], { probabilities: truth.flat() });
    expect(value).toBeCloseTo(kl(truth, LOGITS), 5);
    const self = await lossOf(klDivergence, [OTHER], {
      probabilities: rows(OTHER).flatMap(softmax),
    });
    expect(Math.abs(self)).toBeLessThan(1e-6);
  });

  test("personalised ranking", async () => {
    const expected = mean(LOGITS.map((x, i) => -Math.log(sigmoid(x - (OTHER[i] ?? 0)))));
    expect(await lossOf(bayesianRanking, [LOGITS, OTHER], {})).toBeCloseTo(expected, 5);
  });

  test("distillation mixes labels and a cooled teacher; the teacher itself has nothing to learn", async () => {
    const temperature = 3;
    const cool = (values: readonly number[]) => values.map((x) => x / temperature);
    const soft = 9 * kl(rows(cool(OTHER)).map(softmax), cool(LOGITS));
    const loss = distillation({ temperature, hardWeight: 0.3 });
    const value = await lossOf(loss, [LOGITS], { teacher: OTHER, labels: LABELS });
    expect(value).toBeCloseTo(0.3 * ce(LOGITS) + 0.7 * soft, 4);
    const same = await lossOf(distillation({ temperature }), [OTHER], { teacher: OTHER });
    expect(Math.abs(same)).toBeLessThan(1e-5);
  });
});

test("what cannot be is refused by name", () => {
  expect(() => crossEntropy({ smoothing: 1 })).toThrow("smoothing is a share");
  expect(() => huber({ delta: 0 })).toThrow("delta is above 0");
  expect(() => pinball({ quantiles: [0, 0.5] })).toThrow("quantiles lie between 0 and 1");
  expect(() => distillation({ temperature: -1 })).toThrow("temperature");
});
