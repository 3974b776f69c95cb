import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { HEADS, MAP_BLOCKS, type NetPlan, randomNet } from "../../../../test/nets/random-net.ts";
import { randomFloats, runModel } from "../../../../test/onnx-runtime.ts";
import { operators } from "../../../../test/operators.ts";
import { createRandom } from "../../../core/index.ts";
import { inferValueTypes, nativeRuntime } from "../../../engine/index.ts";
import { elementsOf, inferShapes, type Model, type Tensor, tensorOf } from "../../../onnx/index.ts";
import type { PassContext } from "../pass.ts";
import { type FollowedGraph, followGraph } from "./followed-graph.ts";
import { groupsOf, type PruningGroup } from "./groups.ts";
import { prepareForPruning } from "./prepare.ts";
import { keptBy, removeSets } from "./remove.ts";
import { sliced } from "./sources.ts";

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };

const plans: fc.Arbitrary<NetPlan> = fc.record({
  blocks: fc.array(fc.constantFrom(...MAP_BLOCKS), { minLength: 1, maxLength: 4 }),
  head: fc.constantFrom(...HEADS),
  seed: fc.integer({ min: 1, max: 10_000 }),
});

interface Looked {
  readonly model: Model;
  readonly followed: FollowedGraph;
  readonly groups: readonly PruningGroup[];
}

async function lookAt(plan: NetPlan): Promise<Looked> {
  const model = await prepareForPruning(randomNet(plan), context, { biases: false });
  const followed = followGraph(model);
  return { model, followed, groups: groupsOf(followed).groups };
}

async function outputOf(model: Model): Promise<Float32Array> {
  const { y } = await runModel(model, { x: randomFloats([1, 4, 8, 8], 99) });
  return y?.data as Float32Array;
}

/** Few outputs of opposite sums leave little of float32's digits; a wrong index leaves none. */
function expectClose(a: Float32Array, b: Float32Array, tolerance: number): void {
  const scale = Math.max(1e-6, ...a.map(Math.abs));
  expect(b).toHaveLength(a.length);
  a.forEach((value, i) => {
    expect(Math.abs(value - (b[i] ?? Number.NaN)) / scale).toBeLessThan(tolerance);
  });
}

/** The model with a stored tensor changed. */
function withTensor(model: Model, name: string, change: (tensor: Tensor) => Tensor): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const initializers = graph.initializers.map((tensor) =>
    tensor.name === name ? change(tensor) : tensor,
  );
  return { ...model, graph: { ...graph, initializers } };
}

/** The units of a group in another order, in every tensor that they touch. */
function permuted(model: Model, group: PruningGroup, seed: number): Model {
  const random = createRandom(seed);
  const order = Array.from({ length: group.size }, (_, unit) => unit);
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return group.members.reduce((current, { tensor, axis, indices, source }) => {
    const moved = Array.from({ length: source.dims[axis] ?? 0 }, (_, index) => index);
    for (const [unit, from] of order.entries()) {
      indices[unit]?.forEach((index, at) => {
        moved[index] = indices[from]?.[at] ?? index;
      });
    }
    return withTensor(current, tensor, (of) =>
      sliced(
        of,
        of.dims.map((_, at) => (at === axis ? moved : null)),
      ),
    );
  }, model);
}

/**
 * Whether units are used whole: blocks of which a Slice reads a different part each can be removed, but
 * not exchanged.
 */
function isWhole({ members }: PruningGroup): boolean {
  const made = members.find(({ readings }) => readings.some(({ role }) => role === "produces"));
  const block = made?.indices[0]?.length ?? 1;
  return members.every(({ indices }) => (indices[0]?.length ?? 1) % block === 0);
}

/** A unit whose channels are zero wherever they are made, whatever comes in. */
function silenced(model: Model, group: PruningGroup, unit: number): Model {
  return group.members.reduce((current, { tensor, axis, indices, readings }) => {
    // Means and variances stay as they are; scales and shifts and makers become zero.
    const makes = readings.length === 0 || readings.some(({ role }) => role !== "consumes");
    if (!makes) return current;
    return withTensor(current, tensor, (of) => {
      const gone = new Set(indices[unit]);
      const dims = of.dims.map(Number);
      const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
      const values = Float32Array.from(elementsOf(of) as Float32Array, (value, position) =>
        gone.has(Math.floor(position / inner) % (dims[axis] ?? 1)) ? 0 : value,
      );
      return tensorOf("float32", { name: of.name ?? "", dims, values });
    });
  }, model);
}

describe.skipIf(nativeMissing !== null)("on random networks", () => {
  test("the channels of a group can be put in any order", async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { model, groups } = await lookAt(plan);
        expect(groups.length).toBeGreaterThan(0);
        const before = await outputOf(model);
        let shuffled = model;
        for (const [seed, group] of groups.filter(isWhole).entries())
          shuffled = permuted(shuffled, group, seed + 1);
        expectClose(before, await outputOf(shuffled), 1e-3);
      }),
      { numRuns: 30 },
    );
  });

  test("channels that are always zero can go, and shapes become those foretold", async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.nat(100), async (plan, pick) => {
        const { model, followed, groups } = await lookAt(plan);
        const usable = groups.filter(({ normalised }) => !normalised);
        let silent = model;
        const removed = new Set<number>();
        for (const group of usable) {
          const unit = pick % group.size;
          silent = silenced(silent, group, unit);
          removed.add(group.sets[unit] ?? -1);
        }
        const small = removeSets(
          silent,
          { ...followed, graph: silent.graph ?? followed.graph },
          removed,
        );
        expectClose(await outputOf(silent), await outputOf(small), 1e-3);
        await expectForetold(small, followed, removed);
      }),
      { numRuns: 30 },
    );
  });
});

/** ONNX Runtime's own shapes of every value are those that the coupling foretold. */
async function expectForetold(
  model: Model,
  followed: FollowedGraph,
  removed: ReadonlySet<number>,
): Promise<void> {
  const kept = keptBy(followed, removed);
  const types = await inferValueTypes(model);
  const before = inferShapes({ ...model, graph: followed.graph }).graph.values;
  for (const [value, { dims }] of types) {
    const type = before.get(value);
    const shape = type?.kind === "tensor" ? (type.shape ?? []) : [];
    for (const [axis, size] of (dims ?? []).entries()) {
      if (typeof size !== "number") continue;
      expect(`${value} ${axis} ${size}`).toBe(
        `${value} ${axis} ${kept([value, axis])?.length ?? shape[axis]}`,
      );
    }
  }
}
