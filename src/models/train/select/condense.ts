// Dataset condensation by gradient matching (Zhao, Mopuri & Bilen, Dataset Condensation with Gradient Matching,
// 2021): a few synthetic samples are moved until the gradients that they give are those of the data, in
// networks fresh from their initialisation. The distance is differentiated through the gradient, so the
// backward pass is differentiated once more.

import { createRandom, type Random } from "../../../core/index.ts";
import { createSession, type Session, sizeOf, type TensorValue } from "../../../engine/index.ts";
import { elementsOf, extendModel, type GraphBuilder, type Model } from "../../../onnx/index.ts";
import { type Dataset, memoryDataset, readLabels, rowsByLabel } from "../../data/index.ts";
import { differentiate } from "../differentiate.ts";
import { graphOf, initializersToInputs, withoutOutputs } from "../graph-surgery.ts";
import { type Wire, wired } from "../wiring.ts";
import { type GradientOptions, gradientGraph } from "./gradient-graph.ts";

export interface CondenseOptions extends Omit<GradientOptions, "columns" | "only"> {
  /** A network with first weights drawn from the seed; its only input takes the samples. */
  readonly net: (seed: number) => Model;
  /** Synthetic samples of each class. */
  readonly perClass: number;
  /** Networks that the samples are matched in, one after the other. */
  readonly rounds: number;
  /** Length of the steps of the synthetic samples, in units of the data. */
  readonly rate: number;
  /** Real samples of a class whose gradient is matched. Default 64. */
  readonly realBatch?: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onRound?: (round: number, distance: number) => void;
}

export interface Condensed {
  readonly dataset: Dataset;
  /** Mean distance over classes, round by round. */
  readonly distances: readonly number[];
}

/**
 * Condenses a dataset with one input and labels. Synthetic samples start as real ones. The distance of a
 * round is the sum over parameters of 1 - cosine, by class.
 */
export async function condense(dataset: Dataset, options: CondenseOptions): Promise<Condensed> {
  const { perClass, rounds, rate, net, seed, signal, realBatch = 64 } = options;
  const random = createRandom(seed);
  const classes = rowsByLabel(await readLabels(dataset));
  const synthetic = await firstSamples(dataset, classes, { perClass, random });
  const matcher = await openMatcher(dataset, options);
  const distances: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      signal?.throwIfAborted();
      const weights = weightsOf(net(seed * rounds + round), matcher.parameters);
      let sum = 0;
      for (const [label, rows] of classes) {
        const real = await matcher.realGradient(draw(rows, realBatch, random), weights);
        const own = synthetic.get(label) as Float32Array;
        const { distance, gradient } = await matcher.distance({ own, label, real, weights });
        sum += distance;
        step(own, gradient, rate);
      }
      distances.push(sum / classes.size);
      options.onRound?.(round, sum / classes.size);
    }
  } finally {
    await matcher.close();
  }
  return { dataset: datasetOf(dataset, synthetic, matcher.input), distances };
}

type Feeds = Readonly<Record<string, TensorValue>>;

/** Rows with replacement, so that every batch has the size that the graph was built for. */
const draw = (rows: readonly number[], count: number, random: Random): number[] =>
  Array.from({ length: count }, () => rows[random.integer(rows.length)] as number);

async function firstSamples(
  dataset: Dataset,
  classes: ReadonlyMap<number, readonly number[]>,
  { perClass, random }: { readonly perClass: number; readonly random: Random },
): Promise<Map<number, Float32Array>> {
  const input = dataset.columns.find(({ name }) => name !== "label")?.name ?? "";
  const samples = new Map<number, Float32Array>();
  for (const [label, rows] of classes) {
    const batch = await dataset.batch(draw(rows, perClass, random), [input]);
    const { data } = batch.get(input) as TensorValue;
    samples.set(label, Float32Array.from(data as ArrayLike<number>));
  }
  return samples;
}

/** A step along the gradient's direction: its length says little, since the distance is of angles. */
function step(values: Float32Array, gradient: Float32Array, rate: number): void {
  const length = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
  if (length === 0) return;
  const scale = (rate * Math.sqrt(values.length)) / length;
  for (let at = 0; at < values.length; at++) {
    values[at] = (values[at] as number) - scale * (gradient[at] as number);
  }
}

/** The two graphs: gradients of real samples, and the distance of synthetic ones to them. */
interface Matcher {
  readonly parameters: readonly string[];
  /** Column of the samples. */
  readonly input: string;
  realGradient(rows: readonly number[], weights: Feeds): Promise<Feeds>;
  distance(of: {
    readonly own: Float32Array;
    readonly label: number;
    readonly real: Feeds;
    readonly weights: Feeds;
  }): Promise<{ readonly distance: number; readonly gradient: Float32Array }>;
  close(): Promise<void>;
}

async function openMatcher(dataset: Dataset, options: CondenseOptions): Promise<Matcher> {
  const { net, perClass, realBatch = 64, operators } = options;
  const first = net(options.seed);
  const real = gradientGraph(first, dataset, realBatch, options);
  const parameters = [...real.gradients.keys()];
  const outer = gradientGraph(first, dataset, perClass, options);
  const open = (model: Model, name: string): Promise<Session> =>
    createSession(initializersToInputs(model, new Set(parameters)), { name, threads: 1 });
  const realModel = withOutputs(real.model, [...real.gradients.values()], options);
  const [sample] = outer.wires as readonly [Wire, ...Wire[]];
  const matching = matchingGraph(outer, { sample: sample.input, parameters, first, operators });
  const realSession = await open(realModel, "real gradients");
  const session = await open(matching.model, "gradient matching");
  const labels = outer.wires[1] as Wire;
  return {
    parameters,
    input: sample.column,
    async realGradient(rows, weights) {
      const feeds = wired(await dataset.batch(rows), real.wires);
      const outputs = await realSession.run({ ...feeds, ...weights });
      return Object.fromEntries(
        parameters.map((name) => [
          matching.targets.get(name) as string,
          outputs[real.gradients.get(name) as string] as TensorValue,
        ]),
      );
    },
    async distance({ own, label, real: targets, weights }) {
      const batch = new Map<string, TensorValue>([
        [sample.column, { dataType: "float32", dims: [perClass, ...sample.dims], data: own }],
        [labels.column, constantLabels(label, perClass)],
      ]);
      const feeds = wired(batch, outer.wires);
      const outputs = await session.run({ ...feeds, ...weights, ...targets });
      const gradient = outputs[matching.gradient]?.data as Float32Array;
      return { distance: Number(outputs[matching.distance]?.data[0]), gradient };
    },
    async close() {
      await realSession.close();
      await session.close();
    },
  };
}

const constantLabels = (label: number, count: number): TensorValue => ({
  dataType: "int64",
  dims: [count],
  data: new BigInt64Array(count).fill(BigInt(label)),
});

function withOutputs(
  model: Model,
  values: readonly string[],
  { operators }: Pick<CondenseOptions, "operators">,
): Model {
  const graph = extendModel(withoutOutputs(model), { operators });
  for (const value of values) graph.output(value);
  return graph.finish();
}

/** The gradient graph with the distance of its gradients to given ones, and the sample's gradient of that. */
function matchingGraph(
  { model, gradients }: ReturnType<typeof gradientGraph>,
  of: {
    readonly sample: string;
    readonly parameters: readonly string[];
    readonly first: Model;
    readonly operators: CondenseOptions["operators"];
  },
) {
  const graph = extendModel(withoutOutputs(model), { operators: of.operators });
  const targets = new Map<string, string>();
  const parts = of.parameters.map((name) => {
    const tensor = graphOf(of.first).initializers.find((one) => one.name === name);
    const target = graph.input(`real ${name}`, "float32", (tensor?.dims ?? []).map(Number));
    targets.set(name, target);
    return oneLessCosine(graph, gradients.get(name) as string, target);
  });
  const distance = graph.op("Sum", parts);
  graph.output(distance);
  const differentiated = differentiate(graph.finish(), {
    operators: of.operators,
    loss: distance,
    parameters: [of.sample],
  });
  const gradient = differentiated.gradients.get(of.sample) as string;
  const whole = extendModel(differentiated.model, { operators: of.operators });
  whole.output(gradient);
  return { model: whole.finish(), distance, gradient, targets };
}

/** Keeps the cosine of a gradient that vanishes finite. */
const EPSILON = 1e-12;

/** 1 - <a, b> / (|a| |b|). */
function oneLessCosine(graph: GraphBuilder, a: string, b: string): string {
  const whole = (value: string): string => graph.op("ReduceSum", [value], { keepdims: 0 });
  const square = (value: string): string => whole(graph.op("Mul", [value, value]));
  const constant = (value: number): string =>
    graph.constant("float32", { dims: [], values: [value] });
  const norms = graph.op("Mul", [square(a), square(b)]);
  const length = graph.op("Sqrt", [graph.op("Add", [norms, constant(EPSILON)])]);
  const cosine = graph.op("Div", [whole(graph.op("Mul", [a, b])), length]);
  return graph.op("Sub", [constant(1), cosine]);
}

function weightsOf(model: Model, names: readonly string[]): Feeds {
  const wanted = new Set(names);
  const found = graphOf(model).initializers.filter(({ name = "" }) => wanted.has(name));
  return Object.fromEntries(
    found.map((tensor) => [
      tensor.name ?? "",
      { dataType: "float32", dims: tensor.dims.map(Number), data: elementsOf(tensor) },
    ]),
  );
}

function datasetOf(
  from: Dataset,
  synthetic: ReadonlyMap<number, Float32Array>,
  input: string,
): Dataset {
  const shape = from.columns.find(({ name }) => name === input)?.shape ?? [];
  const width = sizeOf(shape);
  const data = Float32Array.from([...synthetic.values()].flatMap((values) => [...values]));
  const labels = [...synthetic].flatMap(([label, values]) =>
    Array.from({ length: values.length / width }, () => BigInt(label)),
  );
  const label = from.columns.find(({ name }) => name === "label");
  return memoryDataset(`${from.name}, condensed`, [
    { name: input, dataType: "float32", shape, data },
    {
      name: "label",
      dataType: "int64",
      shape: [],
      data: BigInt64Array.from(labels),
      ...(label?.classes === undefined ? {} : { classes: label.classes }),
    },
  ]);
}
