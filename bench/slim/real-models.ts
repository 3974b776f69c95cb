// What slim achieves on models that people run, on generated inputs: agreement with the original, or why it
// refuses.

import { createRandom } from "../../src/core/index.ts";
import {
  createSession,
  openModelFile,
  type Port,
  type TensorValue,
} from "../../src/engine/index.ts";
import {
  type Feeds,
  type Judge,
  samplesFor,
  withDataInside,
} from "../../src/models/compress/index.ts";
import { type Dataset, memoryDataset, metricNamed } from "../../src/models/data/index.ts";
import type { Model } from "../../src/onnx/index.ts";
import type { Subject } from "./slim-subject.ts";

interface Recording {
  readonly file: string;
  /** The input that changes from sample to sample; the others stay zeros, or what is given. */
  readonly input: string;
  readonly draw: (random: ReturnType<typeof createRandom>, length: number) => readonly number[];
  readonly metric: string;
  readonly margin: number;
  readonly rows: number;
  readonly values?: Readonly<Record<string, number>>;
  /** Of a sample, where the model leaves it open. */
  readonly shape?: readonly number[];
}

const sound: Recording["draw"] = (random, length) => {
  const [pitch, loud] = [0.01 + 0.1 * random.uniform(), 0.05 + 0.5 * random.uniform()];
  return Array.from({ length }, (_, at) => loud * Math.sin(pitch * at) + 0.02 * random.normal());
};

const picture: Recording["draw"] = (random, length) => {
  const [a, b, c] = [random.uniform(), random.uniform(), random.uniform()];
  return Array.from(
    { length },
    (_, at) => Math.sin(0.05 * a * (at % 320) + 0.0003 * b * at + 6 * c) + 0.2 * random.normal(),
  );
};

/** Files of text, numbers and noise, as a detector of file types sees them. */
const bytes: Recording["draw"] = (random, length) => {
  const [from, to] = random.uniform() < 0.5 ? [32, 127] : [0, 256];
  return Array.from({ length }, () => from + random.integer(to - from));
};

const RECORDINGS: readonly Recording[] = [
  {
    file: "magika_standard_v3_3",
    input: "bytes",
    draw: bytes,
    metric: "agreement",
    margin: 0.02,
    rows: 700,
  },
  {
    file: "ultraface_rfb_320",
    input: "input",
    draw: picture,
    metric: "cosine",
    margin: 0.005,
    rows: 160,
  },
  {
    file: "silero_vad_v5",
    input: "input",
    draw: sound,
    metric: "mse",
    margin: 1e-3,
    rows: 200,
    values: { sr: 16000 },
    shape: [576],
  },
  { file: "gtcrn_stream", input: "mix", draw: sound, metric: "cosine", margin: 0.005, rows: 200 },
  {
    file: "basic_pitch_nmp",
    input: "serving_default_input_2:0",
    draw: sound,
    metric: "cosine",
    margin: 0.005,
    rows: 100,
  },
];

/** The models with their inputs, one after the other: those named, or all where none is. */
export async function* realModels(
  folder: string,
  named: readonly string[],
): AsyncGenerator<Subject> {
  const some = RECORDINGS.filter(({ file }) => named.includes(file));
  for (const recording of some.length > 0 ? some : RECORDINGS) {
    const opened = openModelFile(`${folder}/${recording.file}.onnx`);
    const model: Model = withDataInside(opened.model, opened.external);
    const session = await createSession(model, { threads: 1 });
    await session.close();
    const { fixed, dataset } = inputsOf(recording, session.inputs);
    const judge: Judge = { metric: metricNamed(recording.metric), truth: null };
    yield {
      ...{ name: recording.file, model, judge, margin: recording.margin, dataset },
      samples: samplesFor(dataset, session.inputs, { fixed, batch: 1 }),
    };
    opened.close();
  }
}

function inputsOf(
  recording: Recording,
  ports: readonly Port[],
): { fixed: Feeds; dataset: Dataset } {
  const random = createRandom(11);
  const own = ports.find(({ name }) => name === recording.input) ?? ports[0];
  if (own === undefined) throw new Error(`${recording.file} has no input`);
  const shape = recording.shape ?? sizesOf(own).slice(1);
  const length = shape.reduce((product, size) => product * size, 1);
  const samples = Array.from({ length: recording.rows }, (): TensorValue => {
    const values = recording.draw(random, length);
    const data = own.dataType === "int32" ? Int32Array.from(values) : Float32Array.from(values);
    return { dataType: own.dataType ?? "float32", dims: shape, data };
  });
  const others = ports.filter((port) => port !== own);
  return {
    fixed: Object.fromEntries(others.map((port) => [port.name, constant(port, recording)])),
    dataset: memoryDataset(recording.file, [
      { name: own.name, dataType: own.dataType ?? "float32", shape, samples },
    ]),
  };
}

const sizesOf = ({ dims }: Port): readonly number[] =>
  (dims ?? []).map((size) => (typeof size === "number" ? size : 1));

function constant(port: Port, { values = {} }: Recording): TensorValue {
  const dims = sizesOf(port);
  const length = dims.reduce((product, size) => product * size, 1);
  const value = values[port.name] ?? 0;
  const data =
    port.dataType === "int64"
      ? new BigInt64Array(length).fill(BigInt(value))
      : new Float32Array(length).fill(value);
  return { dataType: port.dataType ?? "float32", dims, data };
}
