// A profile on disk: what is read back is what was written, and later runs use it only where it holds.

import { beforeAll, describe, expect, test } from "vitest";
import { createFakeHost, type FakeHost } from "../../../test/fake-host.ts";
import { providerOf } from "../../../test/fake-sensors.ts";
import { SIGNAL } from "../../../test/run-records.ts";
import {
  attachMeter,
  type SimulatedRig,
  simulateMachine,
} from "../../../test/simulated-machine.ts";
import { exact } from "../../core/index.ts";
import { model, planEstimate } from "../estimate/index.ts";
import { createMeasurer, identifyMachine, setUp } from "../run/index.ts";
import type { Sensor } from "../sensors/index.ts";
import { calibrate } from "./calibrate.ts";
import { type Profile, parseProfile, profileText } from "./profile.ts";
import { profilePath, storedProfile } from "./stored.ts";
import { findTruth } from "./truth.ts";

async function profileOf(components: (rig: SimulatedRig) => readonly Sensor[]): Promise<Profile> {
  const rig = simulateMachine({ others: () => 0 });
  attachMeter(rig, "bmc");
  return calibrate({
    host: rig.host,
    machine: await identifyMachine(rig.host),
    truth: await findTruth(rig.host),
    components: components(rig),
    load: rig.load,
    levels: [0, 0.25, 0.5, 0.75, 1],
    seconds: 10,
    tolerant: false,
    besidesFactor: 1,
    version: "1.2.3",
  });
}

let withSensor: Profile;
let withoutSensor: Profile;
beforeAll(async () => {
  withSensor = await profileOf(({ component }) => [component]);
  withoutSensor = await profileOf(() => []);
});

/** The same machine later, with the profile where it is looked for. */
async function later(profile: Profile | string): Promise<SimulatedRig> {
  const rig = simulateMachine({ others: () => 0 });
  const { id } = await identifyMachine(rig.host);
  const path = profilePath(rig.host, id) ?? "";
  rig.host.files.set(path, typeof profile === "string" ? profile : profileText(profile));
  return rig;
}

describe("the file", () => {
  test("gives back what was written, in the same bytes", () => {
    const text = profileText(withSensor);
    const read = parseProfile(text, "p.json");
    expect(read).toEqual(JSON.parse(text));
    expect(profileText(read)).toBe(text);
  });
  test("says when, against what and how well", () => {
    expect(withSensor.calibratedAt).toMatch(/^2026-01-01T00:0\d/);
    expect(withSensor.truth.kind).toBe("bmc");
    expect(withSensor.version).toBe("1.2.3");
    expect(withSensor.supply?.sensors).toEqual(["fake:package-0"]);
    expect(withSensor.supply?.factor.source).toMatch(
      /^calibrated 2026-01-01 against ACPI power meter.*, residual \d\.\d %$/,
    );
  });
  test("lies in the user's configuration folder, by machine", () => {
    const at = (env: Record<string, string>, homeDirectory: string | null) =>
      profilePath(createFakeHost({ env, facts: { homeDirectory } }), "abc");
    expect(at({ XDG_CONFIG_HOME: "/x" }, "/home/a")).toBe("/x/godwit/profiles/abc.json");
    expect(at({}, "/home/a")).toBe("/home/a/.config/godwit/profiles/abc.json");
    expect(at({}, null)).toBeNull();
  });
  test.each([
    ["not JSON", "{", "it is not JSON"],
    ["of another kind", "{}", "is not a machine profile: schema"],
  ])("%s is not used, and the reason names it", async (_, text, reason) => {
    const { host } = await later(text);
    const stored = await storedProfile(host);
    expect(stored).toMatchObject({ status: "ignored", reason: expect.stringContaining(reason) });
  });
  test("with an impossible interval is not used", async () => {
    const { supply } = withSensor;
    if (supply === null) throw new Error("no supply");
    const wrong = { ...withSensor, supply: { ...supply, base: { ...supply.base, low: -5 } } };
    const { host } = await later(JSON.stringify(wrong));
    expect(await storedProfile(host)).toMatchObject({ status: "ignored" });
  });
  test("that may not be read is not used, and said to be", async () => {
    const { host } = await later("");
    for (const path of host.files.keys()) {
      if (path.includes("profiles")) host.files.set(path, { fault: "EACCES" });
    }
    expect(await storedProfile(host)).toMatchObject({ status: "ignored" });
  });
});

describe("a later run", () => {
  const wallOf = async (host: FakeHost, sensor: Sensor) =>
    setUp(host, { providers: [providerOf(sensor), model], signal: SIGNAL });

  test("with the same sensors has the calibrated supply, and says so", async () => {
    const { host, component } = await later(withSensor);
    const { wall, notices, survey } = await wallOf(host, component);
    expect(wall?.factor.value).toBeCloseTo(1 / 0.87, 2);
    expect(wall?.base.value).toBeCloseTo(30, 0);
    expect(wall?.factor.source).toContain("calibrated 2026-01-01");
    expect(notices).toEqual([]);
    // Memory that no sensor reads is in the base: its model does not count on top.
    const memory = survey.sensors.find(({ sensor }) => sensor.id === "model:memory");
    expect(memory).toMatchObject({
      counted: false,
      fallbacks: [expect.stringContaining("inside the base")],
    });
  });
  test("with other sensors has the model of the class, and says why", async () => {
    const { host, component } = await later(withSensor);
    const { wall, notices } = await wallOf(host, { ...component, id: "fake:package-1" });
    expect(wall?.factor.source).not.toContain("calibrated");
    expect(notices.join()).toContain("it was found with fake:package-0");
  });
  test("without sensors has the calibrated load curve, with memory and board inside it", async () => {
    const { host, wallAt } = await later(withoutSensor);
    const { survey } = await setUp(host, { providers: [model], signal: SIGNAL });
    const counted = survey.sensors.filter((ranked) => ranked.counted);
    expect(counted.map(({ sensor }) => sensor.id)).toEqual(["model:cpu"]);
    expect(counted[0]?.sensor).toMatchObject({ scope: "wall", method: "estimated" });
    expect(counted[0]?.sensor.source).toContain("calibrated 2026-01-01");
    expect(survey.uncovered.map(({ domain }) => domain)).not.toContain("memory");
    const [cpu] = (await planEstimate(host)).parts;
    expect(cpu?.power(0.5).value).toBeCloseTo(wallAt(0.5), 0);
  });
  test("puts the calibration on its card, from the counter to the plug", async () => {
    const rig = await later(withSensor);
    const measurer = createMeasurer(() => ({
      host: rig.host,
      providers: [providerOf(rig.component), model],
      signal: SIGNAL,
      pue: exact("1", 1, { method: "declared", source: "a test" }),
    }));
    const { card } = await measurer.measure("work", async () => {
      await rig.load.set(0.5);
      await rig.host.elapse(20_000);
    });
    const gross = card?.measures.energy?.gross;
    expect(gross?.value).toBeCloseTo(20 * rig.wallAt(0.5), -2);
    expect(gross?.source).toContain("calibrated 2026-01-01 against ACPI power meter");
    expect(card?.boundary.scope).toBe("wall");
  });

  test.each<[string, (profile: Profile) => Profile, RegExp]>([
    [
      "over a year later",
      (p) => ({ ...p, calibratedAt: "2024-12-01T00:00:00.000Z" }),
      /396 days old/,
    ],
    [
      "with another processor",
      (p) => ({ ...p, machine: { ...p.machine, cpuName: "Old CPU" } }),
      /processor was Old CPU with 8 threads then/,
    ],
    [
      "with other memory",
      (p) => ({ ...p, machine: { ...p.machine, memoryBytes: 8e9 } }),
      /memory was 8\.0 GB then/,
    ],
    [
      "on another machine",
      (p) => ({ ...p, machine: { ...p.machine, id: "other" } }),
      /another machine's/,
    ],
  ])("%s does not use it, and says so", async (_, change, reason) => {
    const { host, component } = await later(change(withSensor));
    const { wall, notices } = await wallOf(host, component);
    expect(wall?.factor.source).not.toContain("calibrated 20");
    expect(notices.join()).toMatch(reason);
  });
});
