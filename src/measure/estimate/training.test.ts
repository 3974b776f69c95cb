import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { carbonIntensity, emissionsOf, exact, joules, toKilowattHours } from "../../core/index.ts";
import { findAccelerator, loadAccelerators } from "./accelerators.ts";
import { estimateTraining, type TrainingPlan, trainingFlops } from "./training.ts";

const table = await loadAccelerators(createFakeHost());
const origin = { method: "declared", source: "given" } as const;
const noPue = exact("1", 1, origin);

const plan = (changes: Partial<TrainingPlan> = {}): TrainingPlan => ({
  work: { kind: "tokens", parameters: 7e9, tokens: 1e12 },
  device: findAccelerator(table, "A100 SXM4 80GB"),
  count: 64,
  pue: noPue,
  ...changes,
});

describe("operations of a training", () => {
  // Brown et al. 2020, "Language Models are Few-Shot Learners" (arXiv:2005.14165), table D.1: parameters,
  // total training FLOPs; 300 x 10^9 tokens each.
  test.each([
    ["GPT-3 Medium", 356e6, 6.41e20],
    ["GPT-3 Large", 760e6, 1.37e21],
    ["GPT-3 XL", 1320e6, 2.38e21],
    ["GPT-3 2.7B", 2650e6, 4.77e21],
    ["GPT-3 6.7B", 6660e6, 1.2e22],
    ["GPT-3 13B", 12_850e6, 2.31e22],
    ["GPT-3 175B", 174_600e6, 3.14e23],
  ])("%s", (_, parameters, published) => {
    const { value } = trainingFlops({ kind: "tokens", parameters, tokens: 300e9 });
    expect(Number(value.toPrecision(3))).toBe(published);
  });

  test("of a profiled network are three forward passes for every sample seen", () => {
    // ResNet-50: 4.09 x 10^9 multiply-adds an image; 90 epochs of ImageNet.
    const work = { kind: "samples", forwardFlops: 8.18e9, samples: 1_281_167, epochs: 90 } as const;
    expect(trainingFlops(work).value).toBeCloseTo(3 * 8.18e9 * 1_281_167 * 90, -6);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    "%s parameters are refused",
    (parameters) => {
      expect(() => trainingFlops({ kind: "tokens", parameters, tokens: 1 })).toThrow(/parameters/);
    },
  );
});

// Patterson et al. 2021, "Carbon Emissions and Large Neural Network Training" (arXiv:2104.10350), table 4:
// GPT-3 on V100 at 24.6 TFLOP/s and 330 W of system each, PUE 1.10: 1,287 MWh, and 552 t at 429 g/kWh.
test("GPT-3, with what its authors' machines did, cost 1,287 MWh and 552 t", () => {
  const { accelerators, duration } = estimateTraining(
    plan({
      work: { kind: "flops", flops: 3.14e23 },
      device: { ...findAccelerator(table, "V100"), peakFlops: 125e12 },
      count: 10_000,
      mfu: 24.6 / 125,
      meanWatts: 330,
    }),
  );
  const facility = joules(accelerators.value * 1.1);
  expect(toKilowattHours(facility) / 1000).toBeCloseTo(1287, -1);
  expect(emissionsOf(facility, carbonIntensity(429)) / 1e6).toBeCloseTo(552, -1);
  expect(duration.value / 86_400).toBeCloseTo(14.8, 1);
});

// Disclosed GPU hours times rated power. BLOOM: Luccioni, Viguier & Ligozat 2022 (arXiv:2211.02001), 1,082,990 h
// of A100, 366 x 10^9 tokens. Llama 2 70B: Touvron et al. 2023 (arXiv:2307.09288), 1,720,320 h of A100.
// Llama 3.1 405B: its model card, 30.84 x 10^6 h of H100, 3.8 x 10^25 FLOP.
describe("the interval without knowing the MFU holds what was disclosed", () => {
  test.each([
    ["BLOOM", { kind: "tokens", parameters: 176e9, tokens: 366e9 }, "A100 SXM4 80GB", 1_082_990],
    [
      "Llama 2 70B",
      { kind: "tokens", parameters: 70e9, tokens: 2e12 },
      "A100 SXM4 80GB",
      1_720_320,
    ],
    ["Llama 3.1 405B", { kind: "flops", flops: 3.8e25 }, "H100 80GB HBM3", 30.84e6],
  ] as const)("%s", (_, work, name, hours) => {
    const device = findAccelerator(table, name);
    const { accelerators, duration } = estimateTraining(plan({ work, device, count: 1 }));
    const disclosed = hours * 3600 * device.watts;
    expect(disclosed).toBeGreaterThan(accelerators.low);
    expect(disclosed).toBeLessThan(accelerators.high);
    expect(hours * 3600).toBeGreaterThan(duration.low);
    expect(hours * 3600).toBeLessThan(duration.high);
  });

  // BLOOM's paper: 433,196 kWh at 400 W and 24.69 t at 57 g/kWh.
  test("BLOOM's own energy and emissions", () => {
    const energy = joules(1_082_990 * 3600 * 400);
    expect(toKilowattHours(energy)).toBeCloseTo(433_196, 0);
    expect(emissionsOf(energy, carbonIntensity(57)) / 1e6).toBeCloseTo(24.69, 2);
  });
});

describe("properties", () => {
  const size = fc.double({ min: 1e6, max: 1e12, noNaN: true });
  test("energy is in step with parameters and tokens, and does not depend on how many work", () => {
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 4096 }), (parameters, tokens, count) => {
        const at = (factor: number, boards: number) =>
          estimateTraining(
            plan({
              work: { kind: "tokens", parameters: parameters * factor, tokens },
              count: boards,
            }),
          );
        const [one, twice, many] = [at(1, 1), at(2, 1), at(1, count)];
        expect(twice.energy.value / one.energy.value).toBeCloseTo(2, 9);
        expect(many.energy.value / one.energy.value).toBeCloseTo(1, 9);
        expect(one.duration.value / many.duration.value).toBeCloseTo(count, 6);
      }),
    );
  });
  test("a better MFU costs less; a PUE and a server cost more", () => {
    const [bad, good] = [0.2, 0.5].map((mfu) => estimateTraining(plan({ mfu })));
    expect(bad?.energy.value).toBeGreaterThan(good?.energy.value ?? 0);
    const { accelerators, wall, energy } = estimateTraining(plan({ pue: exact("1", 1.2, origin) }));
    expect(wall.value).toBeGreaterThan(accelerators.value);
    expect(energy.value / wall.value).toBeCloseTo(1.2, 9);
  });
  test("knowing the MFU narrows the interval", () => {
    const width = ({ energy }: ReturnType<typeof estimateTraining>) => energy.high / energy.low;
    expect(width(estimateTraining(plan()))).toBeGreaterThan(
      width(estimateTraining(plan({ mfu: 0.4 }))),
    );
  });
  test.each([0, 1.2, -0.1, Number.NaN])("an MFU of %s is refused", (mfu) => {
    expect(() => estimateTraining(plan({ mfu }))).toThrow(/MFU/);
  });
});

describe("accelerators", () => {
  test("part of a name is enough where it leaves nothing open", () => {
    expect(findAccelerator(table, "h200").peakFlops).toBe(989e12);
    expect(findAccelerator(table, "NVIDIA A100 SXM4").watts).toBe(400);
    expect(() => findAccelerator(table, "A100")).toThrow(/may be several/);
  });
  test("a mistyped name gets a suggestion", () => {
    expect(() => findAccelerator(table, "H20")).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("--peak") }),
    );
  });
});
