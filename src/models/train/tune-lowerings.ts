// Finds the fastest way to write each gradient of a model on this machine, by running each way alone.
// Answers are kept: the same layer on the same machine is timed once.

import { createRandom, UserError } from "../../core/index.ts";
import {
  createSession,
  type Session,
  type SessionOptions,
  type TensorValue,
} from "../../engine/index.ts";
import { type Model, modelBuilder, type OperatorTable } from "../../onnx/index.ts";
import { type DifferentiateOptions, differentiate } from "./differentiate.ts";
import type { LoweringOptions, LoweringTask, Way } from "./vjp/lowering.ts";
import { sizeOf, Writer } from "./vjp/writer.ts";

/** Where answers are kept: texts by key. */
export interface TimingStore {
  read(key: string): Promise<string | null>;
  write(key: string, text: string): Promise<void>;
}

export interface TuneLoweringsOptions extends DifferentiateOptions {
  readonly engine?: SessionOptions;
  /** What the processor is called: answers hold for it alone. */
  readonly processor: string;
  /** Default: nothing is kept. */
  readonly store?: TimingStore;
  /** Time to spend on each way. Default: 50 ms. */
  readonly budgetMs?: number;
  readonly onCase?: (timed: TimedCase, at: { readonly done: number; readonly of: number }) => void;
  readonly signal?: AbortSignal;
}

/** What was found out about one task. */
export interface TimedCase {
  readonly family: string;
  readonly of: unknown;
  /** Least milliseconds of each way that runs and gives what the first does. */
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly fastest: string | null;
  /** Whether it was known from an earlier run. */
  readonly known: boolean;
}

export interface TunedLowerings extends LoweringOptions {
  readonly cases: readonly TimedCase[];
  /** The fastest way of each task, by keys that `writtenBy` takes: what a recipe keeps. */
  readonly ways: Readonly<Record<string, string>>;
}

/** Gradients written in the ways that were once found, so that a run can be made again bit by bit. */
export const writtenBy = (ways: Readonly<Record<string, string>>): LoweringOptions => ({
  fastest: (task) => ways[keyOf(task)] ?? null,
});

/** Times every way to write every gradient that differentiating this model takes. */
export async function tuneLowerings(
  model: Model,
  options: TuneLoweringsOptions,
): Promise<TunedLowerings> {
  const { store, signal, onCase, lowerings = {} } = options;
  const tasks = tasksOf(model, options);
  const place = await placeOf(options);
  const cases = new Map<string, TimedCase>();
  for (const [key, task] of tasks) {
    signal?.throwIfAborted();
    const kept = parsed((await store?.read(place + key)) ?? null);
    const milliseconds = kept ?? (await timesOf(task, options));
    if (kept === null) await store?.write(place + key, JSON.stringify(milliseconds));
    const { family, of } = task;
    const fastest = leastOf(milliseconds);
    const timed = { family, of, milliseconds, fastest, known: kept !== null };
    cases.set(key, timed);
    onCase?.(timed, { done: cases.size, of: tasks.size });
  }
  const ways = Object.fromEntries(
    [...cases].flatMap(([key, { fastest }]) => (fastest === null ? [] : [[key, fastest]])),
  );
  return { ...lowerings, ...writtenBy(ways), cases: [...cases.values()], ways };
}

const keyOf = ({ family, of, inputs }: LoweringTask): string =>
  JSON.stringify([family, of, inputs]);

/** The tasks that differentiating meets, each once. */
function tasksOf(model: Model, options: TuneLoweringsOptions): ReadonlyMap<string, LoweringTask> {
  const tasks = new Map<string, LoweringTask>();
  const note = (task: LoweringTask): null => {
    if (task.ways.length > 1) tasks.set(keyOf(task), task);
    return null;
  };
  differentiate(model, { ...options, lowerings: { ...options.lowerings, fastest: note } });
  return tasks;
}

/** What answers depend on beside the task: engine, its version, threads and processor. */
async function placeOf(options: TuneLoweringsOptions): Promise<string> {
  const g = modelBuilder(options);
  g.output(g.input("x", "float32", [1]), { name: "y" });
  const session = await createSession(g.finish(), options.engine);
  const { runtime, version, threads } = session.settings;
  await session.close();
  return `${JSON.stringify([runtime, version, threads, options.processor])} `;
}

/** A kept answer; null for a text that is none. */
function parsed(text: string | null): Readonly<Record<string, number>> | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    const valid = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!valid || !Object.values(value).every((time) => typeof time === "number")) return null;
    return value as Readonly<Record<string, number>>;
  } catch {
    return null;
  }
}

function leastOf(milliseconds: Readonly<Record<string, number>>): string | null {
  const sorted = Object.entries(milliseconds).sort(([, a], [, b]) => a - b);
  return sorted[0]?.[0] ?? null;
}

/** A way that is set up to run. */
interface Ready {
  readonly name: string;
  readonly session: Session;
}

const DEFAULT_BUDGET_MS = 50;
const LEAST_ROUNDS = 3;

/** Runs the ways in turn, so that what else the machine does falls on all of them. */
async function timesOf(
  task: LoweringTask,
  options: TuneLoweringsOptions,
): Promise<Readonly<Record<string, number>>> {
  const feeds = drawInputs(task);
  const ready = await openAll(task, feeds, options);
  const budget = (options.budgetMs ?? DEFAULT_BUDGET_MS) * ready.length;
  const least: Record<string, number> = {};
  const begin = performance.now();
  for (let round = 0; round < LEAST_ROUNDS || performance.now() - begin < budget; round++) {
    for (const { name, session } of ready) {
      const start = performance.now();
      await session.run(feeds);
      least[name] = Math.min(least[name] ?? Infinity, performance.now() - start);
    }
  }
  await Promise.all(ready.map(({ session }) => session.close()));
  return least;
}

/** The ways that load and give what the first one gives. */
async function openAll(
  task: LoweringTask,
  feeds: Readonly<Record<string, TensorValue>>,
  { operators, engine }: TuneLoweringsOptions,
): Promise<readonly Ready[]> {
  // Several sessions are open at once: threads of one that spin would take the time of the next.
  const settings = { ...engine, spinning: false };
  const ready: Ready[] = [];
  let expected: TensorValue | null = null;
  for (const way of task.ways) {
    try {
      const session = await createSession(graphOfWay(task, way, operators), settings);
      const { y } = await session.run(feeds);
      expected ??= y ?? null;
      if (y !== undefined && expected !== null && agree(y, expected)) {
        ready.push({ name: way.name, session });
      } else {
        await session.close();
      }
    } catch (error) {
      // The engine has no kernel for this way: it is no candidate here.
      if (!(error instanceof UserError)) throw error;
    }
  }
  return ready;
}

function graphOfWay({ inputs }: LoweringTask, way: Way, operators: OperatorTable): Model {
  const g = modelBuilder({ operators });
  const values = inputs.map(({ dims, dataType }, at) => ({
    name: g.input(`x${at}`, dataType, dims),
    dims,
    dataType,
  }));
  g.output(way.write(new Writer(g), values).name, { name: "y" });
  return g.finish();
}

function drawInputs({ inputs }: LoweringTask): Readonly<Record<string, TensorValue>> {
  const random = createRandom(1);
  const drawn = inputs.map(({ dims }, at): readonly [string, TensorValue] => {
    const data = Float32Array.from({ length: sizeOf(dims) }, () => random.uniform() - 0.5);
    return [`x${at}`, { dataType: "float32", dims, data }];
  });
  return Object.fromEntries(drawn);
}

/** Sums in another order differ by this much at most. */
const AGREEMENT = 1e-3;

function agree({ data }: TensorValue, expected: TensorValue): boolean {
  let difference = 0;
  let size = 0;
  for (let at = 0; at < expected.data.length; at++) {
    const value = Number(expected.data[at]);
    difference += (Number(data[at]) - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(difference) <= AGREEMENT * Math.sqrt(size);
}
