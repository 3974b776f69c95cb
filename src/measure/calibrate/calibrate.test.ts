// Simulated machines whose efficiency, base and load curve are known prove the calibration: through
// the very providers that real meters are read by.

import { describe, expect, test } from "vitest";
import {
  attachMeter,
  METER_FILE,
  type SimulatedMachine,
  type SimulatedRig,
  simulateMachine,
} from "../../../test/simulated-machine.ts";
import { createRandom } from "../../core/random.ts";
import { identifyMachine } from "../run/index.ts";
import { calibrate } from "./calibrate.ts";
import { curvePower } from "./curve.ts";
import type { Profile } from "./profile.ts";
import { findTruth, meterTruth, type Truth, typedTruth } from "./truth.ts";

type Way = "battery" | "bmc" | "file" | "typed";

async function truthOf(rig: SimulatedRig, way: Way): Promise<Truth> {
  if (way === "typed") return typedTruth(async () => Math.round(rig.reading()));
  attachMeter(rig, way);
  return way === "file" ? meterTruth(rig.host, METER_FILE) : findTruth(rig.host);
}

const LEVELS = [0, 0.25, 0.5, 0.75, 1];

async function calibrated(
  machine: SimulatedMachine,
  options: { way?: Way; sensors?: boolean; seconds?: number; tolerant?: boolean } = {},
): Promise<{ profile: Profile; rig: SimulatedRig }> {
  const { way = "bmc", sensors = true, seconds = 20, tolerant = false } = options;
  const rig = simulateMachine(machine);
  const profile = await calibrate({
    ...(await optionsOf(rig)),
    truth: await truthOf(rig, way),
    ...(sensors ? {} : { components: [] }),
    seconds,
    tolerant,
  });
  return { profile, rig };
}

/** A machine of its own for each seed. */
function machineOf(
  seed: number,
  way: Way,
): SimulatedMachine &
  Required<Pick<SimulatedMachine, "efficiency" | "base" | "idle" | "rise" | "shape">> {
  const random = createRandom(1000 + seed);
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  return {
    seed,
    efficiency: between(0.75, 0.95),
    base: between(20, 60),
    idle: between(10, 30),
    rise: between(60, 200),
    shape: between(0.6, 1.1),
    // The gain's error is what the sensor states of itself.
    meter: { gain: way === "battery" ? 0.03 : 0.02, noise: 0.01, stepNoise: 0.004 },
  };
}

const isIn = ({ low, high }: { low: number; high: number }, value: number): boolean =>
  low <= value && value <= high;

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);

/** Which of the true parameters lie in the stated intervals. */
async function heldBy(seed: number, way: Way): Promise<readonly boolean[]> {
  const machine = machineOf(seed, way);
  const { efficiency, base, idle, rise, shape } = machine;
  const { profile } = await calibrated(machine, { way, seconds: 10 });
  const { supply, curve } = profile;
  if (supply === null || curve === null) throw new Error("no fit");
  return [
    isIn(supply.factor, 1 / efficiency),
    isIn(supply.base, base),
    isIn(curve.idle, idle / efficiency + base),
    isIn(curve.full, (idle + rise) / efficiency + base),
    isIn(curve.shape, shape),
  ];
}

describe.each(["battery", "bmc", "file", "typed"] as const)("against a %s", (way) => {
  test("stated 90 % intervals hold the true supply and curve about nine times in ten", async () => {
    const held: boolean[] = [];
    for (const seed of SEEDS) held.push(...(await heldBy(seed, way)));
    const rate = held.filter(Boolean).length / held.length;
    // 200 parameters of 40 machines; few degrees of freedom make the intervals of five typed
    // readings rather too wide than too narrow.
    expect(rate).toBeGreaterThanOrEqual(0.85);
    expect(rate).toBeLessThanOrEqual(way === "typed" ? 0.98 : 0.95);
  });
});

const QUIET = { gain: 0, noise: 0.005, stepNoise: 0.001 } as const;

describe("what a meter may be like", () => {
  test("without error, the fit is the machine itself", async () => {
    const { profile } = await calibrated({ others: () => 0 });
    expect(profile.supply?.factor.value).toBeCloseTo(1 / 0.87, 3);
    expect(profile.supply?.base.value).toBeCloseTo(30, 1);
    expect(profile.curve?.shape.value).toBeCloseTo(0.8, 2);
    expect(profile.residual.mean).toBeLessThan(0.001);
  });
  test.each([1, 2, 3, 4])(
    "single readings three times too high change nothing (seed %i)",
    async (seed) => {
      const { profile } = await calibrated({ seed, meter: { ...QUIET, outliers: 0.02 } });
      expect(profile.steps.some(({ discarded }) => discarded > 0)).toBe(true);
      expect(profile.supply?.factor.value).toBeCloseTo(1 / 0.87, 1);
      expect(profile.supply?.base.value).toBeGreaterThan(28);
      expect(profile.supply?.base.value).toBeLessThan(32);
    },
  );
  test("whole watts are enough, and the intervals know of them", async () => {
    const held = await Promise.all(
      SEEDS.slice(0, 20).map(async (seed) => {
        const { profile } = await calibrated({
          ...machineOf(seed, "bmc"),
          meter: { quantum: 1 },
        });
        const { efficiency, base } = machineOf(seed, "bmc");
        const { supply } = profile;
        return supply !== null && isIn(supply.factor, 1 / efficiency) && isIn(supply.base, base);
      }),
    );
    expect(held.filter(Boolean).length).toBeGreaterThanOrEqual(16);
  });
  test("one that drifts is refused", async () => {
    await expect(calibrated({ meter: { ...QUIET, drift: 1.5 } })).rejects.toThrow("drifts");
  });
  test("one that shows the same whatever happens is refused", async () => {
    await expect(calibrated({ meter: { stuck: 60 } })).rejects.toThrow("does not react: 60.0 W at");
  });
  test("one that feeds more than this machine is refused: efficiency 0.4", async () => {
    await expect(calibrated({ efficiency: 0.4, meter: QUIET })).rejects.toThrow(
      "the supply would be 0.40 efficient, outside 0.6 to 1",
    );
  });
  test("one that leaves a part of it out is refused: a base below zero", async () => {
    await expect(calibrated({ base: -20, meter: QUIET })).rejects.toThrow(/base would be -\d+/);
  });
  test("of a machine without a base, the base is none", async () => {
    const { profile } = await calibrated({ base: -0.3, meter: QUIET });
    expect(profile.supply?.base).toMatchObject({ value: 0, low: 0 });
  });
  test("one that logs too seldom is refused, and told what to do", async () => {
    const rig = simulateMachine();
    attachMeter(rig, "bmc");
    const truth = await findTruth(rig.host);
    if (truth.kind === "typed") throw new Error("no sensor");
    const [meter] = truth.sensors;
    if (meter === undefined) throw new Error("no sensor");
    let calls = 0;
    const seldom = {
      ...meter,
      read: () => (calls++ % 9 === 0 ? meter.read() : Promise.reject(new Error("busy"))),
    };
    await expect(
      calibrate({ ...(await optionsOf(rig)), truth: { ...truth, sensors: [seldom] }, seconds: 10 }),
    ).rejects.toMatchObject({ message: expect.stringContaining("too few readings") });
  });
});

describe("what else may run", () => {
  test("a busy machine is refused before any load is made", async () => {
    const rig = simulateMachine({ others: () => 0.3 });
    attachMeter(rig, "bmc");
    const truth = await findTruth(rig.host);
    await expect(calibrate({ ...(await optionsOf(rig)), truth })).rejects.toThrow(
      "other processes use 30 % of the processors",
    );
    expect(rig.load.asked).toEqual([0]);
    expect(rig.load.stopped).toBe(true);
  });
  test("one that begins in the middle is refused, or accepted with a notice", async () => {
    const machine = { others: (t: number) => (t > 60 && t < 120 ? 0.25 : 0), meter: QUIET };
    await expect(calibrated(machine)).rejects.toThrow("other processes used 25 %");
    const { profile } = await calibrated(machine, { tolerant: true });
    expect(profile.notices.join()).toContain("other processes used 25 %");
    // Its load is in the utilisation and in the components, so the fit still holds.
    expect(1 / (profile.supply?.factor.value ?? 0)).toBeCloseTo(0.87, 1);
  });
  test("a limit that leaves half of the processors is refused", async () => {
    await expect(calibrated({ limit: 0.5 })).rejects.toThrow(
      "the load was not reached: 50 % of the processors for 75 %; a limit",
    );
  });
  test("a component sensor that falls silent for a step is no machine without sensors", async () => {
    const rig = simulateMachine();
    const failing = {
      ...rig.component,
      read: () =>
        rig.load.asked.at(-1) === 0.5 ? Promise.reject(new Error("gone")) : rig.component.read(),
    };
    const truth = typedTruth(async () => rig.reading());
    await expect(
      calibrate({ ...(await optionsOf(rig)), truth, components: [failing] }),
    ).rejects.toThrow("a component sensor did not answer at 50 %");
  });
  test("too few levels of load are refused", async () => {
    const rig = simulateMachine();
    await expect(
      calibrate({
        ...(await optionsOf(rig)),
        truth: typedTruth(async () => rig.reading()),
        levels: [0, 0.5, 1],
      }),
    ).rejects.toThrow("too few steps: 3 levels");
  });
  test("an interruption ends the load", async () => {
    const rig = simulateMachine();
    const abort = new AbortController();
    const stop = calibrate({
      ...(await optionsOf(rig)),
      truth: typedTruth(async () => {
        abort.abort();
        throw new Error("interrupted");
      }),
      signal: abort.signal,
    });
    await expect(stop).rejects.toThrow("interrupted");
    expect(rig.load.stopped).toBe(true);
  });
});

test("without a sensor of the processor there is a load curve, good for work of other kinds", async () => {
  const { profile, rig } = await calibrated({ meter: QUIET }, { sensors: false });
  expect(profile.supply).toBeNull();
  const { curve } = profile;
  if (curve === null) throw new Error("no curve");
  for (const load of [0, 0.1, 0.5, 1]) {
    const power = curvePower(curve, load, "test");
    expect(power.value / rig.wallAt(load)).toBeCloseTo(1, 1);
    expect(isIn(power, rig.wallAt(load))).toBe(true);
  }
  // Work of another kind may draw another power at full load; an idle machine does no work.
  const width = (load: number): number => {
    const { low, high, value } = curvePower(curve, load, "test");
    return (high - low) / value;
  };
  expect(width(1)).toBeGreaterThan(width(0));
});

test("steps go up as asked and down between them, each once power is steady", async () => {
  const { profile } = await calibrated({ meter: QUIET });
  expect(profile.steps.every(({ settled }) => settled)).toBe(true);
  expect(profile.steps.map(({ asked }) => asked)).toEqual([
    0, 0.25, 0.5, 0.75, 1, 0.875, 0.625, 0.375, 0.125, 0,
  ]);
});

test("a meter that follows late is waited for", async () => {
  const rig = simulateMachine({ meter: QUIET });
  // What it shows is 15 s old.
  const shown: { readonly at: number; readonly watts: number }[] = [];
  const late = (): number => {
    const now = Number(rig.host.monotonic()) / 1e9;
    shown.push({ at: now, watts: rig.reading() });
    return (shown.findLast(({ at }) => at <= now - 15) ?? { watts: rig.wallAt(0) }).watts;
  };
  attachMeter({ ...rig, reading: late }, "bmc");
  const truth = await findTruth(rig.host);
  const { supply } = await calibrate({ ...(await optionsOf(rig)), truth });
  expect(supply?.factor.value).toBeCloseTo(1 / 0.87, 2);
});

test("what a GPU draws is in the supply's components and not in the load curve", async () => {
  const rig = simulateMachine({ base: 50, others: () => 0 });
  const gpuWatts = 10;
  attachMeter({ ...rig, reading: () => rig.reading() + gpuWatts * 1.2 }, "bmc");
  const gpu = {
    ...rig.component,
    id: "fake:gpu-0",
    domain: "gpu",
    device: "gpu-0",
    read: async () => {
      const at = rig.host.monotonic();
      return { at, value: (gpuWatts * Number(at)) / 1e9 };
    },
  } as const;
  const truth = await findTruth(rig.host);
  const { curve, supply } = await calibrate({
    ...(await optionsOf(rig)),
    truth,
    components: [gpu],
    besidesFactor: 1.2,
  });
  // A GPU alone says nothing of the processor, so there is no supply to fit.
  expect(supply).toBeNull();
  expect(curve?.idle.value).toBeCloseTo(rig.wallAt(0), 1);
});

test("where nothing measures the whole machine, every source's reason is told", async () => {
  await expect(findTruth(simulateMachine().host)).rejects.toMatchObject({
    code: "nothing-measured",
    message: expect.stringMatching(/ipmi: .*\n.*\n.*\nbattery: no battery/),
  });
});

async function optionsOf(
  rig: SimulatedRig,
): Promise<Omit<Parameters<typeof calibrate>[0], "truth">> {
  return {
    host: rig.host,
    machine: await identifyMachine(rig.host),
    components: [rig.component],
    load: rig.load,
    levels: LEVELS,
    seconds: 20,
    tolerant: false,
    besidesFactor: 1.18,
    version: "0.0.0",
  };
}
