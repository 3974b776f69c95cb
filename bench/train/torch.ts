// PyTorch in a process of its own, one model in it, asked to run so many steps at a time.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Contestant } from "./models.ts";

/** Some runs of a step. */
export interface Times {
  /** Milliseconds of each. */
  readonly ms: readonly number[];
  /** CPU milliseconds of all of them. */
  readonly cpu: number;
}

export interface Reference {
  readonly version: string;
  train(count: number): Promise<Times>;
  infer(count: number): Promise<Times>;
  /** Loss and gradients at the starting weights, in the order of the parameters. */
  gradients(): Promise<{ readonly loss: number; readonly values: Float32Array }>;
  close(): void;
}

/** How many threads each pool has: PyTorch's own and OpenBLAS's disturb each other on some models. */
export interface Pools {
  readonly torch: number;
  readonly blas: number;
}

const PYTHON = process.env["GODWIT_PYTHON"] ?? "/usr/bin/python3";

/** Writes weights and batch where the reference finds them. */
export function writeContestant(folder: string, of: Contestant, rate: number): void {
  mkdirSync(folder, { recursive: true });
  const { name, parameters, input, feeds } = of;
  const bytes = (feed: unknown): Uint8Array => {
    const { data } = feed as { readonly data: Float32Array | BigInt64Array };
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  };
  const facts = {
    ...{ name, rate, dims: input.dims },
    tokens: name === "transformer",
    parameters: parameters.map(({ name: of, dims }) => ({ name: of, dims })),
  };
  writeFileSync(join(folder, "facts.json"), JSON.stringify(facts));
  const weights = Buffer.concat(parameters.map(({ values }) => Buffer.from(values.buffer)));
  writeFileSync(join(folder, "weights.bin"), weights);
  writeFileSync(join(folder, "x.bin"), bytes(feeds["x"]));
  writeFileSync(join(folder, "labels.bin"), bytes(feeds["labels"]));
}

/** Starts PyTorch on what `writeContestant` wrote. Rejects when it cannot be had. */
export async function startTorch(folder: string, pools: Pools): Promise<Reference> {
  const script = fileURLToPath(new URL("./reference.py", import.meta.url));
  const child = spawn(PYTHON, [script, folder, String(pools.torch)], {
    env: {
      ...process.env,
      OMP_NUM_THREADS: String(pools.torch),
      OPENBLAS_NUM_THREADS: String(pools.blas),
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await answers.next();
    if (done) throw new Error("PyTorch ended; is python3-torch installed?");
    return JSON.parse(value as string) as Record<string, unknown>;
  };
  const ask = async (command: string): Promise<Record<string, unknown>> => {
    child.stdin.write(`${command}\n`);
    return next();
  };
  const hello = await next();
  return {
    version: String(hello["torch"]),
    train: async (count) => (await ask(`train ${count}`)) as unknown as Times,
    infer: async (count) => (await ask(`infer ${count}`)) as unknown as Times,
    async gradients() {
      const { loss } = await ask("gradients");
      const file = readFileSync(join(folder, "gradients.bin"));
      return { loss: Number(loss), values: new Float32Array(new Uint8Array(file).buffer) };
    },
    close: () => end(child),
  };
}

function end(child: ChildProcess): void {
  child.stdin?.end();
}
