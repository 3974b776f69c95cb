// Power limits on stand-ins: set, put back, put back after a kill, refused.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { createNodeHost } from "../../core/host/node-host.ts";
import { guardLimits, nvidiaDevices, raplDevices, requireInRange, restoreLeft } from "./index.ts";

const HOLDER = new URL("../../../test/limit-holder.ts", import.meta.url).pathname;
const host = createNodeHost();

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-limits-"));
  for (const [at, name] of ["package-0", "package-1", "psys"].entries()) {
    const zone = join(folder, `intel-rapl:${at}`);
    mkdirSync(zone);
    const write = (file: string, text: string | number): void =>
      writeFileSync(join(zone, file), `${text}\n`);
    write("name", name);
    write("energy_uj", 5_000_000);
    write("max_energy_range_uj", 262_143_328_850);
    // The platform's zone has a short-term constraint alone, first in its list.
    write("constraint_0_name", at === 2 ? "short_term" : "long_term");
    write("constraint_0_power_limit_uw", 125_000_000);
    write("constraint_0_max_power_uw", 150_000_000);
  }
  mkdirSync(join(folder, "intel-rapl:0:0"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const limitOf = (zone: number): number =>
  Number(readFileSync(join(folder, `intel-rapl:${zone}/constraint_0_power_limit_uw`), "utf8")) /
  1e6;
const saved = () => join(folder, "state/power-limits.json");
const guarded = (notices: string[] = []) => ({
  ...{ host, path: saved(), devices: () => raplDevices(folder) },
  onNotice: (text: string) => void notices.push(text),
});

describe("CPU packages by powercap", () => {
  test("the long-term limit of each package, and its energy over a wrap", async () => {
    const devices = await raplDevices(folder);
    expect(devices.map(({ id, current, most }) => [id, current, most])).toEqual([
      ["package 0", 125, 150],
      ["package 1", 125, 150],
    ]);
    expect(await devices[0]?.joules()).toBe(5);
    writeFileSync(join(folder, "intel-rapl:0/energy_uj"), "1000000\n");
    expect(await devices[0]?.joules()).toBeCloseTo(1 + 262_143.32885, 6);
    expect(devices[0]?.describe(80)).toContain("echo 80000000 > ");
  });

  test("a limit out of range is refused before any is set", async () => {
    const devices = await raplDevices(folder);
    expect(() => requireInRange(devices, [100, 200])).toThrow(
      /package 0 takes 1 to 150 W, not 200 W/,
    );
  });

  test("no package is an error that says so", async () => {
    await expect(raplDevices(join(folder, "nothing"))).rejects.toThrow(/no CPU package/);
  });
});

describe("limits are put back", () => {
  test("when released, and the file goes", async () => {
    const guard = await guardLimits(guarded());
    await guard.set(80);
    expect([limitOf(0), limitOf(1), limitOf(2)]).toEqual([80, 80, 125]);
    expect(JSON.parse(readFileSync(saved(), "utf8"))).toMatchObject({
      devices: [
        { id: "package 0", watts: 125 },
        { id: "package 1", watts: 125 },
      ],
    });
    await guard.release();
    await guard.release();
    expect([limitOf(0), limitOf(1)]).toEqual([125, 125]);
    expect(() => readFileSync(saved())).toThrow(/ENOENT/);
  });

  test("after kill -9: refused while it lives, put back by the next once it is gone", async () => {
    const holder = spawn(process.execPath, [HOLDER, folder, saved(), "60"]);
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    expect(limitOf(0)).toBe(60);
    await expect(restoreLeft(guarded())).rejects.toThrow(/is tuning power limits/);
    await expect(guardLimits(guarded())).rejects.toThrow(/is tuning power limits/);
    const ended = new Promise((resolve) => holder.once("exit", resolve));
    holder.kill("SIGKILL");
    await ended;
    expect(limitOf(0)).toBe(60);
    const notices: string[] = [];
    // The next one starts from what there was before the kill, not from what it left.
    const guard = await guardLimits(guarded(notices));
    expect(notices[0]).toMatch(/putting back/);
    expect(guard.devices.map(({ current }) => current)).toEqual([125, 125]);
    expect(limitOf(0)).toBe(125);
    expect(await restoreLeft(guarded())).toBe(false);
  });

  test("the file stays until every device is back", async () => {
    const guard = await guardLimits(guarded());
    await guard.set(80);
    rmSync(join(folder, "intel-rapl:1"), { recursive: true });
    await expect(guard.release()).rejects.toThrow(/not all/);
    expect(limitOf(0)).toBe(125);
    expect(readFileSync(saved(), "utf8")).toContain("package 1");
  });

  test("a file that is something else sets nothing", async () => {
    mkdirSync(join(folder, "state"));
    writeFileSync(saved(), '{"devices":[{"id":"package 0","watts":-5}]}');
    await expect(restoreLeft(guarded())).rejects.toThrow(/does not hold power limits/);
    expect(limitOf(0)).toBe(125);
  });
});

describe("GPUs by nvidia-smi", () => {
  const machine = (answer: string, set: { code: number; stderr?: string } = { code: 0 }) => {
    const calls: string[] = [];
    const fake = createFakeHost({
      commands: {
        "nvidia-smi": (args) => {
          calls.push(args.join(" "));
          if (args.includes("-pl")) return { stdout: "", stderr: "", ...set };
          return { stdout: answer, code: 0 };
        },
      },
    });
    return { fake, calls };
  };

  test("are limited one by one, and their draw is integrated", async () => {
    const { fake, calls } = machine(
      "0, 300.00, 100.00, 300.00, 250.00\n1, 250.00, 100.00, 300.00, 250.00\n",
    );
    const [first, second] = await nvidiaDevices(fake);
    expect(second).toMatchObject({ id: "gpu 1", current: 250, least: 100, most: 300 });
    await second?.set(150);
    expect(calls.at(-1)).toBe("-i 1 -pl 150");
    expect(await first?.joules()).toBe(0);
    fake.advance(4000);
    expect(await first?.joules()).toBeCloseTo(1000, 9);
  });

  test("that refuse, or tell no limit, say so", async () => {
    const denied = machine("0, 300.00, 100.00, 300.00, 250.00\n", {
      code: 4,
      stderr: "Insufficient Permissions",
    });
    const [device] = await nvidiaDevices(denied.fake);
    await expect(device?.set(150)).rejects.toThrow(/Insufficient Permissions/);
    await expect(nvidiaDevices(machine("0, [N/A], [N/A], [N/A], 30.00\n").fake)).rejects.toThrow(
      /no GPU/,
    );
    await expect(nvidiaDevices(createFakeHost())).rejects.toThrow(/nvidia-smi cannot be run/);
  });
});
