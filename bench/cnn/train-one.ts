// One network on one set: trained by the program itself in a process of its own, judged by it, then a thousand
// single inferences of the file that it wrote. Energy is estimated from CPU time where no sensor is.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Card } from "../../src/core/card.ts";
import { createRandom, quantile } from "../../src/core/index.ts";
import { createSession } from "../../src/engine/index.ts";
import { measure } from "../../src/index.ts";
import { countNet } from "../../src/models/nets/index.ts";
import { decodeModel, memorySource } from "../../src/onnx/index.ts";
import { cpuMs } from "../engine/figures.ts";
import type { Run, SetOfRuns } from "./runs.ts";

export interface Row {
  readonly data: string;
  readonly name: string;
  readonly plain: boolean;
  readonly epochs: number;
  readonly seed: number;
  readonly accuracy: { readonly value: number; readonly low: number; readonly high: number };
  readonly parameters: number;
  readonly macs: number;
  /** CPU seconds and estimated joules (attributed, with a 90 % interval) of the whole training. */
  readonly train: { readonly cpuS: number; readonly wallS: number; readonly joules: Interval };
  /** Of one inference, batch 1, one thread: milliseconds of CPU, median and middle half. */
  readonly inferenceMs: Interval;
  /** Estimated joules of a thousand of them. */
  readonly inferenceJoules: Interval;
}

interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const PROGRAM = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export const nameOf = ({ net, alpha, rho }: Run): string =>
  [
    net,
    ...(alpha === undefined ? [] : [`alpha ${alpha}`]),
    ...(rho === undefined ? [] : [`rho ${rho}`]),
  ].join(", ");

export async function trainOne(set: SetOfRuns, run: Run, seed: number): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), "godwit-bench-cnn-"));
  try {
    const file = join(folder, "model.onnx");
    const card = train(set, run, { seed, file, ledger: join(folder, "ledger") });
    const { quality, measures } = card;
    if (quality === undefined) throw new Error("the training judged nothing");
    const { value, low = value, high = value } = quality;
    const energy = measures.energy?.attributed ?? measures.energy?.gross;
    const inference = await thousand(file);
    return {
      data: set.data,
      name: nameOf(run),
      plain: run.plain === true,
      epochs: set.epochs,
      seed,
      accuracy: { value, low, high },
      ...inference,
      train: {
        cpuS: measures.cpuTime?.value ?? Number.NaN,
        wallS: measures.duration.value,
        joules: intervalOf(energy),
      },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function train(
  { data, epochs, recipe }: SetOfRuns,
  { net, alpha, rho }: Run,
  { seed, file, ledger }: { readonly seed: number; readonly file: string; readonly ledger: string },
): Card {
  const options = [
    ...["--net", net, "--data", data, "--epochs", String(epochs), "--seed", String(seed)],
    ...(alpha === undefined ? [] : ["--alpha", String(alpha)]),
    ...(rho === undefined ? [] : ["--rho", String(rho)]),
    ...["-o", file, "--ledger", ledger, "--json", "-q", ...recipe],
  ];
  const { stdout, stderr, status } = spawnSync(process.execPath, [PROGRAM, "train", ...options], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { readonly card: Card }).card;
}

const INFERENCES = 1000;

async function thousand(file: string) {
  const model = decodeModel(memorySource(new Uint8Array(readFileSync(file))));
  const { parameters, macs } = countNet(model);
  const [input] = model.graph?.inputs ?? [];
  const type = input?.type;
  if (input === undefined || type?.kind !== "tensor") throw new Error("the model has no input");
  const dims = (type.shape ?? []).map(({ value }) => Number(value ?? 1n));
  const random = createRandom(1);
  const data = Float32Array.from({ length: dims.reduce((all, dim) => all * dim, 1) }, () =>
    random.uniform(),
  );
  const session = await createSession(model, { threads: 1 });
  const feeds = { [input.name]: { dataType: "float32", dims, data } } as const;
  for (let at = 0; at < 50; at++) await session.run(feeds);
  const times: number[] = [];
  const { energy } = await measure("a thousand inferences", async () => {
    for (let at = 0; at < INFERENCES; at++) {
      const start = process.cpuUsage();
      await session.run(feeds);
      times.push(cpuMs(start));
    }
  });
  await session.close();
  const sorted = times.toSorted((a, b) => a - b);
  const [low = 0, value = 0, high = 0] = [0.25, 0.5, 0.75].map((p) => quantile(sorted, p));
  return {
    parameters,
    macs,
    inferenceMs: { low, value, high },
    inferenceJoules: intervalOf(energy),
  };
}

const intervalOf = (figure: Interval | undefined): Interval => ({
  value: figure?.value ?? Number.NaN,
  low: figure?.low ?? Number.NaN,
  high: figure?.high ?? Number.NaN,
});
