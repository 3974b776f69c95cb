import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { exact, withError } from "../../core/index.ts";
import { findAccelerator, loadAccelerators } from "./accelerators.ts";
import {
  estimateInference,
  findTokenLaw,
  INTERVAL_STATEMENT,
  type InferencePlan,
  loadInferenceModel,
  tokenEnergy,
} from "./llm-inference.ts";

const host = createFakeHost();
const model = await loadInferenceModel(host);
const table = await loadAccelerators(host);
const h100 = findTokenLaw(model, "H100 80GB HBM3");
const b200 = findTokenLaw(model, "NVIDIA B200");
const origin = { method: "declared", source: "given" } as const;

const plan = (changes: Partial<InferencePlan> = {}): InferencePlan => ({
  activeParameters: 8e9,
  totalParameters: 8e9,
  bytesPerWeight: 2,
  batch: 64,
  gpus: 1,
  inputTokens: 0,
  outputTokens: 500,
  device: findAccelerator(table, "H100 80GB HBM3"),
  law: h100,
  pue: exact("1", 1.2, origin),
  ...changes,
});

describe("joules of a token", () => {
  // By hand: -0.541 + 0.652 ln 8 - 0.917 ln 64 + 0.047 ln^2 64 + 0.443 ln 2 = -1.879; e^-1.879 = 0.153 J.
  test("of a dense model of 8 x 10^9 parameters on an H100, 64 at once, are 0.153", () => {
    expect(tokenEnergy(h100, { ...plan(), batch: 64 })).toBeCloseTo(0.153, 3);
  });
  // By hand: 235 of which 22 x 10^9 active, 8 H100, FP8: -0.541 + 0.181 ln 22 + 0.471 ln 235 - 0.917 ln 100 +
  // 0.047 ln^2 100 + 0.392 ln 8 = 0.185; e^0.185.
  test("of a mixture of experts rest on active and on all parameters", () => {
    const moe = {
      activeParameters: 22e9,
      totalParameters: 235e9,
      gpus: 8,
      bytesPerWeight: 1,
      batch: 100,
    };
    const ln =
      -0.541 +
      0.181 * Math.log(22) +
      0.471 * Math.log(235) -
      0.917 * Math.log(100) +
      0.047 * Math.log(100) ** 2 +
      0.392 * Math.log(8);
    expect(tokenEnergy(h100, moe)).toBeCloseTo(Math.exp(ln), 12);
  });
  test("rise with size and precision, fall with the batch, on both GPUs", () => {
    const size = fc.double({ min: 0.5e9, max: 1e12, noNaN: true });
    const batch = fc.integer({ min: 8, max: 1999 });
    fc.assert(
      fc.property(fc.constantFrom(h100, b200), size, batch, (law, parameters, at) => {
        const of = (changes: object) =>
          tokenEnergy(law, {
            ...plan({ activeParameters: parameters, totalParameters: parameters }),
            batch: at,
            ...changes,
          });
        expect(of({ totalParameters: parameters * 1.1 })).toBeGreaterThan(of({}));
        expect(of({ activeParameters: parameters * 0.5 })).toBeLessThan(of({}));
        expect(of({ bytesPerWeight: 1 })).toBeLessThan(of({}));
        expect(of({ batch: at + 1 })).toBeLessThan(of({}));
        expect(of({ gpus: 2 })).toBeGreaterThan(of({}));
      }),
    );
  });
});

describe("the interval", () => {
  test("is at least that of the vendors and tasks left out, and says so", () => {
    const { perToken, notes } = estimateInference(plan());
    expect(perToken.low / perToken.value).toBeLessThanOrEqual(0.56);
    expect(perToken.high / perToken.value).toBeGreaterThanOrEqual(1.95);
    expect(notes).toContain(INTERVAL_STATEMENT);
    const other = estimateInference(plan({ law: b200 })).perToken;
    expect(other.high / other.value).toBeGreaterThanOrEqual(5.74);
  });
  // Left out by model the fit's 10 and 90 % points are 0.63 and 1.40.
  test("is never the one of models left out, which is optimistic", () => {
    const { perToken } = estimateInference(plan());
    expect(perToken.low / perToken.value).toBeLessThan(0.63);
    expect(perToken.high / perToken.value).toBeGreaterThan(1.4);
  });
  test("of an unknown batch holds those of 8 and of 256", () => {
    const { perToken, notes } = estimateInference(plan({ batch: null }));
    for (const batch of [8, 64, 256]) {
      const { value } = estimateInference(plan({ batch })).perToken;
      expect(value).toBeGreaterThan(perToken.low);
      expect(value).toBeLessThan(perToken.high);
    }
    const known = estimateInference(plan({ batch: 45 })).perToken;
    expect(perToken.high / perToken.low).toBeGreaterThan(known.high / known.low);
    expect(notes.join()).toContain("batch unknown");
  });
  test("outside the batches fitted on is twice as wide on each side", () => {
    const [inside, outside] = [8, 1].map((batch) => estimateInference(plan({ batch })).perToken);
    const width = (of: typeof inside) => (of === undefined ? 0 : of.high / of.low);
    expect(width(outside) / width(inside)).toBeCloseTo(4, 6);
  });
});

describe("a request", () => {
  test("is prompt and answer, times server and PUE", () => {
    const { prefill, decode, perRequest, perToken } = estimateInference(
      plan({ inputTokens: 1000 }),
    );
    expect(decode.value).toBeCloseTo(500 * perToken.value, 9);
    // 2 x 8e9 x 1000 FLOP / (989e12 FLOP/s x 0.35) x 700 W.
    expect(prefill.value).toBeCloseTo((1.6e13 / (989e12 * 0.35)) * 700, 6);
    expect(perRequest.value).toBeCloseTo((prefill.value + decode.value) * 1.5 * 1.2, 6);
    expect(perRequest.method).toBe("estimated");
  });
  test("without a prompt has no energy of one", () => {
    expect(estimateInference(plan()).prefill).toMatchObject({ value: 0, low: 0, high: 0 });
  });
  test("has emissions where an intensity is given, and making where asked for", () => {
    const intensity = withError("gCO2e/kWh", 400, 0.3, origin);
    const making = { grams: withError("gCO2e", 876_500, 0.4, origin), lifeYears: 3 };
    const { emissions, embodied, perRequest } = estimateInference(plan({ intensity, making }));
    expect(emissions?.value).toBeCloseTo((perRequest.value / 3.6e6) * 400, 9);
    expect(embodied?.value).toBeGreaterThan(0);
    expect(estimateInference(plan())).toMatchObject({ emissions: null, embodied: null });
  });
  test("energy is in step with the tokens put out", () => {
    const of = (outputTokens: number) => estimateInference(plan({ outputTokens })).perRequest.value;
    expect(of(1500) / of(500)).toBeCloseTo(3, 9);
  });
});

describe("what cannot be", () => {
  test.each([
    [{ activeParameters: 9e9 }, /more parameters are used/],
    [{ batch: 0 }, /batch of 0/],
    [{ outputTokens: -5 }, /tokens put out/],
    [{ inputTokens: -1 }, /prompt/],
    [{ bytesPerWeight: 16 }, /bytes a weight/],
  ])("%j", (changes, fault) => {
    expect(() => estimateInference(plan(changes))).toThrow(fault);
  });
  test("a GPU that was not measured is refused with those that were", () => {
    expect(() => findTokenLaw(model, "Tesla T4")).toThrow(
      expect.objectContaining({ hint: "There are for H100 and B200." }),
    );
  });
});
