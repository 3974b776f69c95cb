// One network on one set: trained by the program itself in a process of its own, judged by it, then a thousand
// single inferences of the file that it wrote, in another. Energy is estimated from CPU time where no sensor is.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Card } from "../../src/core/card.ts";
import { type Inference, intervalOf, type Row } from "./row.ts";
import type { Run, SetOfRuns } from "./runs.ts";

const PROGRAM = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const INFER = fileURLToPath(new URL("infer.ts", import.meta.url));

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
    const card = await train(set, run, { seed, file, ledger: join(folder, "ledger") });
    const { quality, measures } = card;
    if (quality === undefined) throw new Error("the training judged nothing");
    const { value, low = value, high = value } = quality;
    const inference = JSON.parse(await program([INFER, file])) as Inference;
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
        joules: intervalOf(measures.energy?.attributed ?? measures.energy?.gross),
      },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function train(
  { data, epochs, recipe }: SetOfRuns,
  { net, alpha, rho }: Run,
  { seed, file, ledger }: { readonly seed: number; readonly file: string; readonly ledger: string },
): Promise<Card> {
  const options = [
    ...["--net", net, "--data", data, "--epochs", String(epochs), "--seed", String(seed)],
    ...(alpha === undefined ? [] : ["--alpha", String(alpha)]),
    ...(rho === undefined ? [] : ["--rho", String(rho)]),
    ...["-o", file, "--ledger", ledger, "--json", "-q", "--threads", "1", ...recipe],
  ];
  const told = await program([PROGRAM, "train", ...options]);
  return (JSON.parse(told) as { readonly card: Card }).card;
}

/** What a program of Node's says. Rejects with what it complains about. */
async function program(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26 });
  return stdout;
}
