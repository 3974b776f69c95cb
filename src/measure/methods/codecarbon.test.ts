import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { joules, toKilowattHours } from "../../core/index.ts";
import {
  codeCarbon,
  codeCarbonConstant,
  codeCarbonIntensity,
  codeCarbonMix,
  codeCarbonProcess,
  codeCarbonRapl,
  codeCarbonV2,
} from "./codecarbon.ts";
import { guessedModules, memoryPowerV2, memoryPowerV3 } from "./codecarbon-memory.ts";
import type { Method } from "./method.ts";
import { loadPeerTables } from "./tables.ts";
import { type Workload, workloadOf } from "./workload.ts";

const tables = await loadPeerTables(createFakeHost());

const wattsOf = (method: Method, workload: Workload, name: string): number | null => {
  const term = method.estimate(workload, tables).terms.find((one) => one.name === name);
  return term?.energy.status === "answered"
    ? (toKilowattHours(term.energy.value) * 1000) / workload.hours
    : null;
};

const machine = (usage: number, share = 1): Workload =>
  workloadOf({
    hours: 2,
    machine: "server",
    cpu: { name: "some CPU", tdp: 100, sockets: 2, threads: 64, usage, share },
    memoryGB: 128,
    usedMemoryGB: 1,
  });

describe("memory since version 3", () => {
  // mlco2/codecarbon, tests/test_ram.py, test_estimate_dimm_count.
  test.each([
    [1, 1],
    [2, 1],
    [4, 2],
    [8, 2],
    [16, 2],
    [32, 4],
    [64, 4],
    [96, 8],
    [128, 8],
  ])("%d GB are guessed to be %d modules", (gigabytes, modules) => {
    expect(guessedModules(gigabytes)).toBe(modules);
  });
  // Size over the largest module of at most an eighth, at most 32 (codecarbon/external/ram.py).
  test.each([
    [256, 8],
    [512, 8],
    [1024, 8],
    [2048, 16],
    [8192, 32],
  ])("%d GB are guessed to be %d modules of a large server", (gigabytes, modules) => {
    expect(guessedModules(gigabytes)).toBe(modules);
  });
  // 4 x 5 W; 4 x 5 + 4 x 4.5; 20 + 18 + 8 x 4; 20 + 18 + 32 + 16 x 3.5.
  test.each([
    [2, 10],
    [64, 20],
    [128, 38],
    [2048, 70],
    [8192, 126],
  ])("%d GB take %d W", (gigabytes, expected) => {
    expect(memoryPowerV3(gigabytes)).toBeCloseTo(expected, 12);
  });
  test("on ARM a module takes 1.5 W, and memory at least 3 W", () => {
    expect(memoryPowerV3(2, "arm")).toBe(3);
    expect(memoryPowerV3(64, "arm")).toBe(6);
  });
  test("up to version 2 it was 3 W per 8 GB", () => {
    expect(memoryPowerV2(64)).toBe(24);
  });
});

describe("the modes", () => {
  test.each([
    [0, 20],
    [0.5, 200 * (0.1 + 0.9 * 0.125)],
    [1, 200],
  ])("machine mode at load %d takes %d W of two sockets of 100 W", (usage, expected) => {
    expect(wattsOf(codeCarbon, machine(usage), "cpu")).toBeCloseTo(expected, 9);
  });
  test("process mode is linear without a floor, and its memory costs at least 10 W", () => {
    expect(wattsOf(codeCarbonProcess, machine(0.5, 0.4), "cpu")).toBeCloseTo(40, 9);
    expect(wattsOf(codeCarbonProcess, machine(0), "cpu")).toBe(0);
    expect(wattsOf(codeCarbonProcess, machine(0.5), "memory")).toBeCloseTo(10, 9);
  });
  test("constant mode takes half of the TDP, whatever the load", () => {
    expect(wattsOf(codeCarbonConstant, machine(0), "cpu")).toBeCloseTo(100, 9);
    expect(wattsOf(codeCarbonV2, machine(1), "memory")).toBeCloseTo(48, 9);
  });
  test("RAPL mode reports the whole package, of a process too", () => {
    const measured = {
      ...machine(0.5, 0.1),
      counters: { package: joules(7200), dram: null, gpu: null },
    };
    const { terms } = codeCarbonRapl.estimate(measured, tables);
    expect(terms[0]?.energy).toMatchObject({ value: 7200 });
    expect(codeCarbonRapl.estimate(machine(1), tables).energy.status).toBe("unsupported");
  });
  test("an unlisted CPU has 4 W a thread; one of which nothing is known has 85 W", () => {
    const unknown = (threads: number | null) =>
      workloadOf({ hours: 1, cpu: { name: "x", threads, usage: 1 } });
    expect(wattsOf(codeCarbon, unknown(64), "cpu")).toBeCloseTo(256, 9);
    expect(wattsOf(codeCarbon, unknown(null), "cpu")).toBeCloseTo(85, 9);
  });
  test("a GPU without a counter is not answered, where the tool would have counted 0", () => {
    const gpus = [{ name: "Tesla K80", tdp: 150, count: 1, usage: 1 }];
    expect(codeCarbon.estimate({ ...machine(1), gpus }, tables).missing).toEqual(["gpu"]);
  });
});

describe("carbon intensity", () => {
  const at = (zone: string, cloud: Workload["cloud"] = null, declared = false) =>
    codeCarbonIntensity(
      workloadOf({
        hours: 1,
        memoryGB: 1,
        cloud,
        place: { zone, intensity: 300, declared, source: "Ember" },
      }),
      tables,
    );
  // mlco2/codecarbon, tests/test_emissions.py: an unknown country has the world's 475 g/kWh.
  test("the world is 475", () => expect(at("WORLD")).toMatchObject({ value: 475 }));
  // codecarbon/data/private_infra/global_energy_mix.json, 2023.
  test.each([
    ["FR", 56.039],
    ["US", 369.473],
  ])("%s is %d", (zone, expected) => expect(at(zone)).toMatchObject({ value: expected }));
  // codecarbon/data/cloud/impact.csv.
  test("a cloud region beats the country, and a given intensity beats both", () => {
    const cloud = { provider: "gcp", region: "europe-west9" };
    expect(at("FR", cloud)).toMatchObject({ value: 34 });
    expect(at("FR", cloud, true)).toMatchObject({ value: 300 });
  });
  test("a country that is not shipped is godwit's, and says so", () => {
    expect(at("PL")).toMatchObject({ value: 300, basis: expect.stringContaining("in place of") });
  });
  // CodeCarbon's documentation, methodology: 25 % coal, 35 % petroleum, 26 % gas, 14 % nuclear is
  // 731.59 (printed there as kg/kWh; it is g/kWh).
  test("the documented mix is 731.59", () => {
    const mix = { coal: 25, petroleum: 35, natural_gas: 26, nuclear: 14 };
    expect(codeCarbonMix(mix)).toBeCloseTo(731.59, 10);
  });
});
