// Cloud Carbon Footprint, the Impact Framework, Boavizta, EcoLogits and CO2.js.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { toKilowattHours } from "../../core/index.ts";
import { boavizta, fitLogCurve, logCurveAt } from "./boavizta.ts";
import { ccfCompute, ccfEmbodied, cloudCarbonFootprint } from "./cloud-carbon-footprint.ts";
import { co2js, co2jsV3 } from "./co2js.ts";
import {
  ecologits,
  ecologitsGpuEnergy,
  ecologitsGpus,
  ecologitsLatency,
  ecologitsServerEnergy,
} from "./ecologits.ts";
import { impactFramework, teadsShare } from "./impact-framework.ts";
import type { Method } from "./method.ts";
import { loadPeerTables } from "./tables.ts";
import { type Workload, workloadOf } from "./workload.ts";

const tables = await loadPeerTables(createFakeHost());

const energyOf = (method: Method, workload: Workload): number => {
  const { energy } = method.estimate(workload, tables);
  return energy.status === "answered" ? toKilowattHours(energy.value) : Number.NaN;
};

describe("Cloud Carbon Footprint", () => {
  // cloud-carbon-footprint, packages/core, ComputeEstimator.test.ts.
  test("its estimator's own test: us-east-1, replicated twice", () => {
    const usage = { vCpuHours: 1, utilisation: 1, minWatts: 0.71, maxWatts: 3.46, pue: 1.135 };
    const energy = ccfCompute({ ...usage, replication: 2 });
    expect(energy).toBeCloseTo(0.0016741249999999998, 15);
    expect(energy * 0.000415755).toBeCloseTo(6.960258393749999e-7, 15);
    expect(ccfCompute({ ...usage, replication: 1 })).toBeCloseTo(0.0008370624999999999, 15);
  });
  // EmbodiedEmissionsEstimator.test.ts: 24 h of one vCPU of 96 of a server of 1.7957 t.
  test("its embodied estimator's own test", () => {
    const usage = { hours: 24, vCpus: 1, largestVCpus: 96, tonnesOfServer: 1.7957 };
    expect(ccfEmbodied(usage)).toBeCloseTo(0.000012811786529680366, 15);
  });
  test.each([
    ["Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", 0.69, 4.063],
    ["AMD EPYC 7763 64-Core Processor", 0.456, 1.957],
    ["Intel(R) Xeon(R) CPU E5-2686 v4 @ 2.30GHz", 0.713, 3.685],
    ["Intel(R) Xeon(R) Platinum 8488C", 1.036, 4.16],
  ])("%s takes %d to %d W a vCPU", (name, min, max) => {
    const at = (usage: number) =>
      workloadOf({ hours: 1000, cpu: { name, threads: 4, usage }, pue: 1 });
    expect(energyOf(cloudCarbonFootprint, at(0))).toBeCloseTo(4 * min, 9);
    expect(energyOf(cloudCarbonFootprint, at(1))).toBeCloseTo(4 * max, 9);
  });
  test("an unlisted processor has its provider's mean, and none without a provider", () => {
    const unknown = workloadOf({ hours: 1000, cpu: { name: "x", threads: 1, usage: 0.5 }, pue: 1 });
    const cloud = { provider: "aws", region: "eu-west-3" };
    expect(energyOf(cloudCarbonFootprint, { ...unknown, cloud })).toBeCloseTo(2.12, 9);
    expect(cloudCarbonFootprint.estimate(unknown, tables).missing).toContain("cpu");
  });
  test("storage and network by their coefficients, PUE by provider", () => {
    const workload = workloadOf({
      hours: 100,
      storage: { kind: "ssd", terabytes: 10 },
      transferGB: 50,
      cloud: { provider: "gcp", region: "us-west1" },
    });
    expect(energyOf(cloudCarbonFootprint, workload)).toBeCloseTo((1.2 + 0.05) * 1.1, 12);
  });
});

describe("the Teads curve", () => {
  // Impact Framework, unit test of lib/teads-curve: 200 W at 50 % for an hour is 0.15 kWh.
  test("its plug-in's own test: 0.15 kWh", () => {
    const workload = workloadOf({ hours: 1, cpu: { tdp: 200, usage: 0.5 } });
    expect(energyOf(impactFramework, workload)).toBeCloseTo(0.15, 12);
  });
  test.each([
    [0, 0.12],
    [0.05, 0.22],
    [0.1, 0.32],
    [0.3, 0.535],
    [0.5, 0.75],
    [0.75, 0.885],
    [1, 1.02],
  ])("at load %d it is %d of the TDP", (load, share) => {
    expect(teadsShare(load)).toBeCloseTo(share, 12);
  });
  test("it never falls", () => {
    const load = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(load, load, (a, b) => {
        expect(teadsShare(Math.max(a, b))).toBeGreaterThanOrEqual(teadsShare(Math.min(a, b)));
      }),
    );
  });
});

describe("Boavizta", () => {
  // doc.api.boavizta.org, getting started, consumption profile: through 50, 100, 180 and 245 W at 0, 10,
  // 50 and 100 %: a = 105.949, b = 0.08276, c = 19.892, d = -0.7237. b and d are one shift.
  test("its documentation's fit of four points is the least-squares one", () => {
    const points = [
      [0, 50],
      [10, 100],
      [50, 180],
      [100, 245],
    ] as const;
    const published = {
      a: 105.9490625645529,
      b: 0.08276489427342926,
      c: 19.892145752325938,
      d: -0.7237683566860724,
    };
    const own = fitLogCurve(points);
    expect(own.a).toBeCloseTo(published.a, 2);
    expect(own.c).toBeCloseTo(published.c, 2);
    for (const [load] of points) {
      expect(logCurveAt(own, load)).toBeCloseTo(logCurveAt(published, load), 2);
    }
  });
  test("a curve that lies on its points is found again", () => {
    const curve = { a: 40, b: 1, c: 12, d: -30 };
    const points = [0, 10, 30, 50, 100].map((load) => [load, logCurveAt(curve, load)] as const);
    const own = fitLogCurve(points);
    for (const key of ["a", "c", "d"] as const) expect(own[key]).toBeCloseTo(curve[key], 4);
  });
  // By hand: (130 W curve at 50 % = 97.26 W, + 0.284 x 100 W) x 1.33.
  test("a server is a third more than CPU and memory", () => {
    const workload = workloadOf({ hours: 1000, cpu: { tdp: 130, usage: 0.5 }, memoryGB: 100 });
    expect(energyOf(boavizta, workload)).toBeCloseTo((97.26 + 28.4) * 1.33, 1);
  });
  test("without a TDP the family's published coefficients answer", () => {
    const workload = workloadOf({
      hours: 1000,
      cpu: { name: "Intel(R) Xeon(R) Gold 6134", usage: 0.5 },
    });
    const watts = 35.5688 * Math.log(0.2438 * (50 + 9.6694)) - 0.6087;
    expect(energyOf(boavizta, workload)).toBeCloseTo(watts * 1.33, 9);
  });
});

describe("EcoLogits", () => {
  // Model of 60 of 300 x 10^9 parameters, 100 tokens: 720 GB of weights with overhead, 9 boards, so 16;
  // latency 100 x (0.0407 + 0.01996 + 0.01947) s; 0.243 Wh with PUE 1.2, the figure that independent
  // implementations of 0.9 print for it.
  test("a hundred tokens of a model of 300 x 10^9 parameters cost 0.243 Wh", () => {
    const requests = {
      count: 1000,
      outputTokens: 100,
      activeParameters: 60e9,
      totalParameters: 300e9,
    };
    expect(ecologitsGpus(300e9)).toBe(16);
    expect(ecologitsLatency(60e9, 100)).toBeCloseTo(8.0146, 3);
    expect(ecologitsGpuEnergy(60e9, 100)).toBeCloseTo(0.007469, 5);
    expect(ecologitsServerEnergy(requests)).toBeCloseTo(0.0835, 4);
    const workload = workloadOf({ hours: 1, requests });
    expect(energyOf(ecologits, workload)).toBeCloseTo(0.2435, 3);
  });
  test("what is no request is not answered", () => {
    const { energy } = ecologits.estimate(workloadOf({ hours: 1, memoryGB: 1 }), tables);
    expect(energy).toMatchObject({ status: "unsupported" });
  });
});

describe("CO2.js", () => {
  // @tgwf/co2 0.19.0, model swd: perByte(1e6) is 0.1482 g in version 4 and 0.3830814 g in version 3.
  test("a megabyte is 0.1482 g, making included", () => {
    const { emissions, embodied } = co2js.estimate(
      workloadOf({ hours: 1, transferGB: 0.001 }),
      tables,
    );
    if (emissions.status !== "answered" || embodied?.status !== "answered") throw new Error("none");
    expect(emissions.value + embodied.value).toBeCloseTo(0.1482, 12);
    expect(co2jsV3(0.001)).toBeCloseTo(0.3830814, 12);
  });
  // Sustainable Web Design Model v4: 0.194 kWh/GB in use.
  test("a gigabyte uses 0.194 kWh", () => {
    expect(energyOf(co2js, workloadOf({ hours: 1, transferGB: 1 }))).toBeCloseTo(0.194, 12);
  });
});
