import { beforeAll, describe, expect, test } from "vitest";
import { operators } from "../../../../test/operators.ts";
import { smallPictures, smallVisionNet } from "../../../../test/small-vision.ts";
import { seconds } from "../../../core/index.ts";
import { createSession, nativeRuntime } from "../../../engine/index.ts";
import { encodeModel } from "../../../onnx/index.ts";
import { accuracy, allRows, type Dataset } from "../../data/index.ts";
import {
  CALIBRATION_BATCH,
  inputsOf,
  type Judge,
  predict,
  samplesFor,
  threeSplits,
  verify,
  withRows,
} from "../judge/index.ts";
import { memoryStore } from "./memo.ts";
import { dominates, paretoFront } from "./pareto.ts";
import { applyRecipe, parseRecipe, recipeOf, recipeText } from "./recipe.ts";
import { type SearchResult, search } from "./search.ts";
import type { SearchOptions } from "./search-options.ts";

const net = smallVisionNet();
const judge: Judge = { metric: accuracy, truth: "label" };
const store = memoryStore();
let data: Dataset;
let options: SearchOptions;
let result: SearchResult;
const events: string[] = [];
const stagesSeen: string[] = [];

/** Labels are what the net itself says, so that it is right everywhere. */
async function labelledPictures(): Promise<Dataset> {
  const plain = smallPictures(400, null);
  const session = await createSession(net);
  const samples = withRows(samplesFor(plain, session.inputs, { batch: 64 }), allRows(400));
  const { data: scores } = await predict(session, samples);
  await session.close();
  const labels = Array.from({ length: 400 }, (_, row) => {
    const own = [...(scores as Float32Array).subarray(row * 4, row * 4 + 4)];
    return own.indexOf(Math.max(...own));
  });
  return smallPictures(400, labels);
}

beforeAll(async () => {
  data = await labelledPictures();
  const session = await createSession(net);
  const samples = samplesFor(data, session.inputs, { batch: 16 });
  await session.close();
  options = {
    ...{ samples, judge, store, splits: await threeSplits(data), maxDrop: 0.05, alpha: 0.05 },
    ...{ objective: "energy", allow: ["quantise"], effort: "quick", batch: 1 },
    roundTime: seconds(0.002),
    context: { operators, runtime: nativeRuntime(), seed: 1 },
    secondsLeft: () => 60,
    onEvent: (event) => {
      events.push(event.kind);
      if (event.kind === "stage") stagesSeen.push(event.stage);
    },
  };
  result = await search(net, options);
});

describe("a search on a small network", () => {
  test("judges int8 beside the original, on the rows of the search alone", () => {
    const names = result.candidates.map(({ name }) => name);
    for (const method of ["mse", "sample-mean"]) {
      expect(names.some((name) => name.includes(`quantise-static (${method}`))).toBe(true);
    }
    expect(result.candidates.every(({ rows }) => rows === options.splits.search.length)).toBe(true);
    expect(result.candidates.every(({ cpu }) => cpu !== null && cpu > 0)).toBe(true);
    expect(result.front.length).toBeGreaterThan(0);
    expect(events).toContain("candidate");
  });

  test("only what is within the budget is worth verifying", () => {
    for (const { drop } of result.finalists) expect(drop).toBeLessThanOrEqual(0.05);
  });

  test("what was judged once is not judged again", async () => {
    let writes = 0;
    const counting = {
      read: store.read,
      write: async (key: string, value: string) => {
        writes++;
        await store.write(key, value);
      },
    };
    const again = await search(net, { ...options, store: counting });
    expect(writes).toBe(0);
    const qualities = (of: SearchResult) =>
      new Map(of.candidates.map(({ name, quality, drop }) => [name, [quality, drop]]));
    expect(qualities(again)).toEqual(qualities(result));
  });

  test("without time the first rung stands, and it is said", async () => {
    const hurried = await search(net, { ...options, secondsLeft: () => 0 });
    expect(hurried.outOfTime).toBe(true);
    expect(hurried.candidates.length).toBeGreaterThan(0);
  });

  test("a budget of nothing leaves only what keeps outputs", async () => {
    const { candidates } = await search(net, { ...options, maxDrop: 0 });
    expect(candidates.map(({ name }) => name)).toEqual(["simplify"]);
  });
});

describe("a search with high effort", () => {
  /** A clock that stands until all of the second generation is judged. */
  const timed = (kept: typeof store) => {
    let left = 60;
    let total = 0;
    let second = false;
    const stages: string[] = [];
    const high: SearchOptions = {
      ...{ ...options, effort: "high", store: kept },
      secondsLeft: () => left,
      onEvent: (event) => {
        if (event.kind === "stage") {
          stages.push(event.stage);
          second = event.stage.endsWith("generation 2");
          total = event.total ?? 0;
        }
        if (event.kind === "candidate" && second && event.done === total) left = 0;
      },
    };
    return { high, stages };
  };

  test("evolves recipes, and comes to the same again from what is remembered", async () => {
    const kept = memoryStore();
    const { high, stages } = timed(kept);
    const found = await search(net, high);
    expect(stages).toContain("evolving recipes, generation 1");
    expect(stages).not.toContain("evolving recipes, generation 3");
    const names = found.candidates.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("simplify");

    let writes = 0;
    const counting = {
      read: kept.read,
      write: async (key: string, value: string) => {
        writes++;
        await kept.write(key, value);
      },
    };
    const again = await search(net, timed(counting).high);
    expect(writes).toBe(0);
    const told = (of: SearchResult) =>
      of.candidates.map(({ steps, drop, quality }) => ({ steps, drop, quality }));
    expect(told(again)).toEqual(told(found));
  });

  test("does not evolve otherwise", () => {
    expect(stagesSeen.some((stage) => stage.startsWith("evolving"))).toBe(false);
  });
});

describe("recipes", () => {
  const recipe = () => {
    const { calibration } = options.splits;
    const found = result.candidates.find(({ name }) => name.includes("quantise-static"));
    return recipeOf(found?.steps ?? [], {
      ...{ seed: 1, calibration: { rows: [...calibration], batch: CALIBRATION_BATCH } },
    });
  };
  const context = () => ({
    ...options.context,
    calibration: inputsOf(options.samples, options.splits.calibration, CALIBRATION_BATCH),
  });

  test("replayed from JSON they give the workshop's model, byte for byte", async () => {
    const replayed = parseRecipe(JSON.parse(JSON.stringify(recipe())), "a recipe");
    const { model } = await applyRecipe(net, replayed, context());
    const { model: built } = await result.workshop.build(replayed.steps);
    expect(Buffer.compare(encodeModel(model), encodeModel(built))).toBe(0);
  });

  test("its model passes the verification on rows that nothing has seen", async () => {
    const { model } = await applyRecipe(net, recipe(), context());
    const samples = withRows(options.samples, options.splits.verify);
    const found = await verify(net, model, { samples, judge }, { margin: 0.05 });
    expect(found.faults).toEqual([]);
    expect(found.after.value).toBeGreaterThan(0.8);
  });

  test("read in words they tell apart what differs in numbers", () => {
    const texts = [16, 256].map((clusters) =>
      recipeText([{ pass: "cluster", options: { clusters } }]),
    );
    expect(texts).toEqual(["cluster (16 values)", "cluster (256 values)"]);
  });

  test("what is no recipe is refused with the place", () => {
    const broken = { ...recipe(), steps: [{ pass: "squash", options: {} }] };
    expect(() => parseRecipe(broken, "r.json")).toThrow(/r\.json is no recipe: steps\.0\.pass/);
  });
});

test("the front keeps what nothing beats", () => {
  const at = (drop: number, cpu: number) => ({ drop, cpu, latency: 1, bytes: 1 });
  const all = [at(0, 3), at(1, 2), at(1, 3), at(2, 1)];
  expect(paretoFront(all, (one) => one)).toEqual([at(0, 3), at(1, 2), at(2, 1)]);
  expect(dominates(at(0, 3), at(0, 3))).toBe(false);
});
