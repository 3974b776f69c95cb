import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Answer, godwit } from "../../test/cli-session.ts";
import { nativeMissing } from "../../test/engines.ts";
import { operators } from "../../test/operators.ts";
import { smallNet } from "../../test/small-net.ts";
import { createNodeHost } from "../core/host/node-host.ts";
import { createRandom } from "../core/index.ts";
import { checkModel, decodeModel, encodeModel, memorySource } from "../onnx/index.ts";

const folder = mkdtempSync(join(tmpdir(), "godwit-train-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Flowers of three kinds that their four numbers tell apart. */
function writeTable(rows: number): void {
  const random = createRandom(6);
  const lines = Array.from({ length: rows }, () => {
    const kind = random.integer(3);
    const numbers = [0, 1, 2, 3].map((at) => (at === kind ? 3 : 0) + random.normal());
    return [...numbers.map((value) => value.toFixed(3)), ["iris", "rose", "lily"][kind]].join(",");
  });
  writeFileSync(join(folder, "flowers.csv"), ["a,b,c,d,label", ...lines, ""].join("\n"));
  writeFileSync(join(folder, "net.onnx"), encodeModel(smallNet()));
}
writeTable(120);

const run = (...args: readonly string[]): Promise<Answer> =>
  godwit(args, { cwd: folder, host: createNodeHost() });

const trained = (...args: readonly string[]): Promise<Answer> =>
  run("train", "--model", "net.onnx", "--data", "flowers.csv", "--threads", "1", ...args);

describe.skipIf(nativeMissing !== null)("godwit train", () => {
  test("writes a model that any engine loads, its recipe and its card", async () => {
    const answer = await trained(
      "--epochs",
      "3",
      "--batch",
      "16",
      "--rate",
      "0.05",
      "-o",
      "m.onnx",
      "--json",
    );
    expect(answer.code).toBe(0);
    const outcome = JSON.parse(answer.out);
    expect(outcome).toMatchObject({ schema: "godwit.training/1", stopped: "epochs" });
    expect(outcome.epochs).toHaveLength(3);
    const { card } = outcome;
    expect(card.subject).toMatchObject({ kind: "training", name: "net on flowers.csv" });
    expect(card.quality).toMatchObject({
      metric: "accuracy",
      baseline: { name: "most frequent class" },
    });
    expect(card.quality.value).toBeGreaterThan(card.quality.baseline.value);
    expect(card.quality.low).toBeLessThan(card.quality.value);
    expect(Object.keys(card.measures)).toEqual(
      expect.arrayContaining(["duration", "modelSize", "parameters", "operations", "cpuTime"]),
    );
    expect(card.spans.map(({ name }: { name: string }) => name)).toEqual(
      [1, 2, 3].map((epoch) => `epoch ${epoch}`),
    );
    const model = decodeModel(memorySource(readFileSync(join(folder, "m.onnx"))));
    expect(checkModel(model, operators)).toEqual([]);
    expect(model.graph?.nodes.map(({ opType }) => opType)).toEqual(
      smallNet().graph?.nodes.map(({ opType }) => opType),
    );
    expect(existsSync(join(folder, "m.checkpoint"))).toBe(false);
  });

  test("what cannot be written is told before the first epoch", async () => {
    mkdirSync(join(folder, "taken"), { recursive: true });
    const cases = [
      ["taken", "--output: cannot write to"],
      ["no/such.onnx", "there is no folder"],
      ["net.onnx", "net.onnx is the model that is read"],
    ] as const;
    for (const [output, words] of cases) {
      const { code, err, out } = await trained("--epochs", "1", "-o", output);
      expect([code, out, err]).toEqual([2, "", expect.stringContaining(words)]);
      expect(err).not.toContain("epoch 1");
    }
    expect(readFileSync(join(folder, "net.onnx"))).toEqual(Buffer.from(encodeModel(smallNet())));
  });

  test("a smaller resolution goes for pictures that are numbers too, and is told", async () => {
    const random = createRandom(8);
    const line = (): number[] => Array.from({ length: 28 }, () => random.integer(9));
    const lines = Array.from({ length: 48 }, (_, at) =>
      JSON.stringify({ image: [Array.from({ length: 28 }, line)], label: `kind ${at % 3}` }),
    );
    writeFileSync(join(folder, "pictures.jsonl"), lines.join("\n"));
    const small = ["--net", "vgg-small", "--alpha", "0.25", "--rho", "0.5"] as const;
    const data = ["--data", "pictures.jsonl"] as const;
    const shared = ["--epochs", "1", "--batch", "8", "-q", "-o", "small.onnx"] as const;
    const answer = await run("train", ...small, ...data, ...shared);
    expect(answer.err).toContain("go from 28x28 to 14x14");
    expect(answer.code).toBe(0);
    const model = decodeModel(memorySource(readFileSync(join(folder, "small.onnx"))));
    const type = model.graph?.inputs[0]?.type;
    const shape = type?.kind === "tensor" ? type.shape?.slice(1).map(({ value }) => value) : null;
    expect(shape).toEqual([1n, 14n, 14n]);
    expect((await run("eval", "small.onnx", ...data, "--json")).code).toBe(0);
  });

  test("makes the same model again from the recipe, and judges it", async () => {
    const again = await run("train", "--recipe", "m.recipe.json", "-o", "n.onnx", "-q");
    expect(again.code).toBe(0);
    const [m, n] = ["m.onnx", "n.onnx"].map((file) => readFileSync(join(folder, file)));
    expect(n?.equals(m ?? Buffer.alloc(0))).toBe(true);
    const spinning = await run(
      "train",
      "--recipe",
      "m.recipe.json",
      "--spin",
      "-o",
      "s.onnx",
      "-q",
    );
    expect(spinning.code).toBe(0);
    expect(readFileSync(join(folder, "s.onnx")).equals(m ?? Buffer.alloc(0))).toBe(true);
    const judged = await run("eval", "n.onnx", "--data", "flowers.csv", "--json");
    expect(JSON.parse(judged.out).quality).toMatchObject({ metric: "accuracy", samples: 120 });
  });
});

describe.skipIf(nativeMissing !== null)("training on chosen rows", () => {
  const outcomeOf = async (...args: readonly string[]) => {
    const answer = await trained("--epochs", "2", "--batch", "16", "--json", "-q", ...args);
    expect(answer.err).not.toContain("error");
    return JSON.parse(answer.out);
  };

  test("has the rows in its recipe and what choosing took on its card", async () => {
    const part = ["--select", "el2n", "--fraction", "0.6", "--curriculum", "2"];
    const { rows, recipe, card } = await outcomeOf(...part, "-o", "part.onnx");
    // Of 120 rows 12 are kept for validation.
    expect(rows).toEqual({ chosen: 65, of: 108 });
    expect(recipe).toMatchObject({
      select: { kind: "el2n", fraction: 0.6 },
      curriculum: { duration: 2 },
    });
    expect(card.spans[0].name).toBe("choosing rows");
    expect(card.notices.join()).toContain("trained on 65 of 108 rows, chosen by el2n");
    // Two epochs of 6 batches and a pass over 108 rows, then one of 4 batches and a pass over the 65 for the order.
    const choosing = 3 * 2 * 6 * 16 + 108 + 3 * 4 * 16 + 65;
    expect(card.measures.operations.macs.source).toContain(`+ ${choosing} forward passes`);
    const again = await run("train", "--recipe", "part.recipe.json", "-o", "again.onnx", "-q");
    expect(again.code).toBe(0);
    const files = ["part.onnx", "again.onnx"].map((file) => readFileSync(join(folder, file)));
    expect(files[1]?.equals(files[0] ?? Buffer.alloc(0))).toBe(true);
  }, 60_000);

  test("keeps its rows when it is resumed, and does not choose again", async () => {
    const part = ["--select", "el2n", "--fraction", "0.6", "--curriculum", "2"];
    const whole = await outcomeOf(...part, "-o", "whole.onnx");
    // No energy is so little: it stops at the first look, and leaves a checkpoint.
    const stopped = await outcomeOf(...part, "--max-energy", "0.000001J", "-o", "short.onnx");
    expect(stopped).toMatchObject({ stopped: "energy", rows: whole.rows });
    const answer = await run("train", "--resume", "short.checkpoint", "--json", "-q");
    const resumed = JSON.parse(answer.out);
    expect(resumed).toMatchObject({ stopped: "epochs", rows: whole.rows });
    const names = resumed.card.spans.map(({ name }: { name: string }) => name);
    expect(names).not.toContain("choosing rows");
    expect(resumed.card.notices.join()).toContain("they are those of the part before");
    const files = ["whole.onnx", "short.onnx"].map((file) => readFileSync(join(folder, file)));
    expect(files[1]?.equals(files[0] ?? Buffer.alloc(0))).toBe(true);
  }, 60_000);

  test("keeps the ways that were found, with the time it took to find them", async () => {
    const { recipe, card } = await outcomeOf("--tune", "-o", "tuned.onnx");
    expect(recipe.ways).toEqual({});
    expect(card.spans[0].name).toBe("timing ways to write gradients");
  }, 60_000);
});

test("what cannot be is told by name, with what to do", async () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["train", "--data", "flowers.csv"], "there is nothing to train"],
    [["train", "--net", "lenet-5"], "there is nothing to train on"],
    [["train", "--net", "lenet-9", "--data", "flowers.csv"], 'no network is called "lenet-9"'],
    [["train", "--net", "lenet-5", "--data", "flowers.csv"], "take square images"],
    [
      ["train", "--net", "mlp", "--model", "net.onnx", "--data", "flowers.csv"],
      "contradict each other",
    ],
    [
      ["train", "--model", "net.onnx", "--data", "flowers.csv", "--freeze", "x*"],
      'no parameter is called "x*"',
    ],
    [
      ["train", "--model", "net.onnx", "--data", "flowers.csv", "--batch", "500"],
      "an update takes 500 rows",
    ],
    [
      ["train", "--net", "lenet-5", "--data", "flowers.csv", "--fraction", "0.5"],
      "--fraction is a share of rows that are chosen",
    ],
    [
      ["train", "--net", "lenet-5", "--data", "flowers.csv", "--score-epochs", "3"],
      "nothing is scored by a model",
    ],
    [["train", "--resume", "none.checkpoint"], "there is no checkpoint"],
    [["train", "--recipe", "flowers.csv"], "flowers.csv is not JSON"],
    [["eval", "none.onnx", "--data", "flowers.csv"], "there is no file"],
  ];
  for (const [args, text] of cases) {
    const { code, err, out } = await run(...args);
    expect(err).toContain(text);
    expect(err).toContain("fix");
    expect([code, out]).toEqual([2, ""]);
  }
});
