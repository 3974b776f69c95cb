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
    host: rig.host,
    machine: { ...(await identifyMachine(rig.host)) },
    truth: await truthOf(rig, way),
    components: sensors ? [rig.component] : [],
    load: rig.load,
    levels: LEVELS,
    seconds,
    tolerant,
    besidesFactor: 1.18,
    version: "0.0.0",
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

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

describe.each(["battery", "bmc", "file", "typed"] as const)("against a %s", (way) => {
  test("the stated intervals hold the true supply and curve about nine times in ten", async () => {
    const held: boolean[] = [];
    const by: Record<string, number> = {};
    for (const seed of SEEDS) {
      const machine = machineOf(seed, way);
      const { profile } = await calibrated(machine, { way });
      const { supply, curve } = profile;
      if (supply === null || curve === null) throw new Error("no fit");
      const { efficiency, base, idle, rise, shape } = machine;
      const checks = {
        factor: isIn(supply.factor, 1 / efficiency),
        base: isIn(supply.base, base),
        idle: isIn(curve.idle, idle / efficiency + base),
        full: isIn(curve.full, (idle + rise) / efficiency + base),
        shape: isIn(curve.shape, shape),
      };
      for (const [name, ok] of Object.entries(checks)) by[name] = (by[name] ?? 0) + Number(ok);
      held.push(...Object.values(checks));
    }
    const rate = held.filter(Boolean).length / held.length;
    console.log(way, rate, by);
    expect(rate).toBeGreaterThanOrEqual(0.85);
    expect(rate).toBeLessThanOrEqual(0.97);
  }, 60_000);
});
