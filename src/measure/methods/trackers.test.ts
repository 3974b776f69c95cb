// Carbontracker, the greenness toolkit, Eco2AI, experiment-impact-tracker, MLCO2 and Strubell et al.

import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { joules, kilowattHours, seconds, toKilowattHours } from "../../core/index.ts";
import {
  carbontracker,
  carKilometres,
  predictEpochs,
  predictedIntensity,
} from "./carbontracker.ts";
import { eco2ai } from "./eco2ai.ts";
import { experimentImpactTracker } from "./experiment-impact-tracker.ts";
import {
  co2SignalHeaders,
  greennessToolkit,
  raplEnergy,
  toolkitGigaflops,
} from "./greenness-toolkit.ts";
import type { Method } from "./method.ts";
import { mlco2 } from "./mlco2.ts";
import { strubell } from "./strubell.ts";
import { loadPeerTables } from "./tables.ts";
import { type Workload, workloadOf } from "./workload.ts";

const tables = await loadPeerTables(createFakeHost());

function answerOf(method: Method, workload: Workload) {
  const { energy, emissions } = method.estimate(workload, tables);
  return {
    kilowattHours: energy.status === "answered" ? toKilowattHours(energy.value) : Number.NaN,
    kilograms: emissions.status === "answered" ? emissions.value / 1000 : Number.NaN,
  };
}

const place = { zone: "DK", intensity: 82, declared: true, source: "given" };
const counters = { package: kilowattHours(0.5), dram: kilowattHours(0.1), gpu: kilowattHours(2) };

describe("Carbontracker", () => {
  // lfwa/carbontracker, README: 0.000041 kWh an epoch of 10 s at 82 g/kWh is 0.003357 g and 0.000028 km
  // (that README's car has 120.4 g/km); 1000 epochs are predicted at 0.040940 kWh.
  test("its README's prediction is a thousand times the epoch", () => {
    const epoch = { energyJ: 0.04094e-3 * 3.6e6, durationS: seconds(10.746) };
    const { energy, duration } = predictEpochs([epoch], 1000);
    expect(toKilowattHours(energy)).toBeCloseTo(0.04094, 9);
    // Printed as 2:59:06.
    expect(duration).toBeCloseTo(10_746, 6);
    expect((0.04094e-3 * 82).toFixed(6)).toBe("0.003357");
  });
  // README, verbose output: 82 g/kWh measured, 107.49 predicted, 4.400445 g for 0.040940 kWh.
  test("its README's predicted emissions follow from the predicted intensity", () => {
    expect(0.04094 * 107.49).toBeCloseTo(4.400445, 3);
    const forecast = 109.6;
    // 2:59:06 are eleven periods of 900 s: (82 + 11 f) / 12.
    expect(predictedIntensity([82], { intensity: forecast, remainingS: 10_746 })).toBeCloseTo(
      (82 + 11 * forecast) / 12,
      9,
    );
  });
  test("epochs that differ are averaged", () => {
    const epochs = [1, 2, 6].map((energyJ) => ({ energyJ, durationS: seconds(energyJ) }));
    expect(predictEpochs(epochs, 10).energy).toBe(30);
  });
  test("a PUE of 1.58 is applied always, and a CPU without RAPL takes half of its TDP", () => {
    const laptop = workloadOf({
      hours: 4,
      machine: "laptop",
      cpu: { tdp: 50, usage: 0.1 },
      pue: 1,
      place,
    });
    expect(answerOf(carbontracker, laptop).kilowattHours).toBeCloseTo((25 * 4 * 1.58) / 1000, 12);
  });
  test("a new European car of 2022 has 107.5 g/km", () => expect(carKilometres(215)).toBe(2));
});

describe("the greenness toolkit", () => {
  // Its README: 80 s, 0.0006787550620902952 kWh, 0.00032240865449289016 kg CO2.
  test("its published output follows from 475 g/kWh", () => {
    const energy = kilowattHours(0.0006787550620902952);
    const workload = workloadOf({
      hours: 80 / 3600,
      cpu: {},
      counters: { package: energy, dram: null, gpu: null },
    });
    const answer = answerOf(greennessToolkit, workload);
    expect(answer.kilowattHours).toBeCloseTo(0.00067876, 8);
    expect(answer.kilograms).toBeCloseTo(0.00032240865449289016, 15);
  });
  test("the process's share is of packages and DRAM, and at most all", () => {
    const workload = workloadOf({ hours: 1, cpu: { share: 0.25 }, counters });
    expect(greennessToolkit.estimate(workload, tables).terms[0]?.energy).toMatchObject({
      value: joules(0.25 * 0.6 * 3.6e6),
    });
  });
  // A count of 2^-14 J, as Intel's Sandy Bridge and later have: 61 microjoules.
  const unit = 1e6 / 2 ** 14;
  test("RAPL energy wraps at 2^32 counts; the released code loses one", () => {
    const reading = { before: 0xffff_ffff, after: 0, unit, period: seconds(1) };
    expect(raplEnergy(reading)).toBeCloseTo(unit / 1e6, 15);
    expect(raplEnergy(reading, new Set(["wrap-off-by-one"]))).toBe(0);
  });
  test("the released code multiplies energy by the period, which is right at 1 s only", () => {
    const reading = { before: 0, after: 2 ** 14, unit, period: seconds(5) };
    expect(raplEnergy(reading)).toBeCloseTo(1, 12);
    expect(raplEnergy(reading, new Set(["duration-factor"]))).toBeCloseTo(5, 12);
    const atOne = { ...reading, period: seconds(1) };
    expect(raplEnergy(atOne, new Set(["duration-factor"]))).toBe(raplEnergy(atOne));
  });
  test("the released code's GFLOPs are ten times too small", () => {
    expect(toolkitGigaflops(5e9)).toBe(5);
    expect(toolkitGigaflops(5e9, { defect: true })).toBe(0.5);
  });
  test("the released header cannot authenticate", () => {
    expect(co2SignalHeaders("k")).toEqual({ "auth-token": "k" });
    expect(co2SignalHeaders("k", { defect: true })).toEqual({});
  });
});

describe("Strubell et al. 2019, table 3", () => {
  // Total draw, hours, kWh x PUE and lb CO2e as printed: ACL 2019, table 3.
  test.each([
    ["Transformer base", 1415.78, 12, 27, 26],
    ["Transformer big", 1515.43, 84, 201, 192],
    ["ELMo", 517.66, 336, 275, 262],
    ["neural architecture search", 1515.43, 274_120, 656_347, 626_155],
  ])("%s: %d W for %d h are %d kWh and %d lb", (_, power, hours, energy, pounds) => {
    const gpus = [{ name: "all of it", tdp: power, count: 1, usage: 1 }];
    const answer = answerOf(strubell, workloadOf({ hours, gpus, place }));
    expect(answer.kilowattHours).toBeCloseTo(energy, hours > 1000 ? -1 : 0);
    expect(answer.kilograms / 0.45359237).toBeCloseTo(pounds, hours > 1000 ? -1 : 0);
  });
  test("measured draws are added as they are", () => {
    const workload = workloadOf({
      hours: 1,
      cpu: { tdp: 999 },
      gpus: [{ name: "g", tdp: null, count: 1, usage: null }],
      counters,
    });
    expect(answerOf(strubell, workload).kilowattHours).toBeCloseTo(2.6 * 1.58, 12);
  });
});

describe("MLCO2", () => {
  // Lacoste et al. 2019: hours x power x intensity. 100 h of a V100 (300 W) in gcp/us-central1 (430 g/kWh
  // in the table kept by CodeCarbon) are 30 kWh and 12.9 kg.
  test("a hundred hours of a V100", () => {
    const workload = workloadOf({
      hours: 100,
      gpus: [{ name: "V100", tdp: 300, count: 1, usage: 0.1 }],
      cpu: { tdp: 200 },
      cloud: { provider: "gcp", region: "us-central1" },
      place: { ...place, declared: false },
    });
    const answer = answerOf(mlco2, workload);
    expect(answer.kilowattHours).toBeCloseTo(30, 10);
    expect(answer.kilograms).toBeCloseTo(12.9, 10);
  });
});

describe("Eco2AI", () => {
  test("TDP times use by the process, 3 W per 8 GB used, measured GPU, PUE 1", () => {
    const workload = workloadOf({
      hours: 3,
      cpu: { tdp: 65, usage: 0.8, share: 0.5 },
      memoryGB: 64,
      usedMemoryGB: 16,
      gpus: [{ name: "g", tdp: 1, count: 1, usage: 1 }],
      counters: { package: null, dram: null, gpu: kilowattHours(0.4) },
    });
    expect(answerOf(eco2ai, workload).kilowattHours).toBeCloseTo((3 * (26 + 6)) / 1000 + 0.4, 12);
  });
  test("an unlisted CPU has 100 W", () => {
    const workload = workloadOf({ hours: 1, cpu: { name: "x" }, memoryGB: 8 });
    expect(answerOf(eco2ai, workload).kilowattHours).toBeCloseTo(0.103, 12);
  });
});

describe("experiment-impact-tracker", () => {
  test("with counters: shares of CPU and memory, PUE 1.58", () => {
    const workload = workloadOf({
      hours: 1,
      cpu: { share: 0.5 },
      memoryGB: 100,
      usedMemoryGB: 20,
      gpus: [{ name: "g", tdp: null, count: 1, usage: null }],
      counters,
    });
    const energy = (0.5 * 0.5 + 0.1 * 0.2 + 2) * 1.58;
    expect(answerOf(experimentImpactTracker, workload).kilowattHours).toBeCloseTo(energy, 12);
  });
  test("without: the rough estimate, which has no PUE", () => {
    const workload = workloadOf({
      hours: 10,
      cpu: { tdp: 100, usage: 0.5 },
      gpus: [{ name: "g", tdp: 250, count: 2, usage: 0.8 }],
    });
    expect(answerOf(experimentImpactTracker, workload).kilowattHours).toBeCloseTo(4.5, 12);
  });
});
