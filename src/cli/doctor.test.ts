import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { type Answer, godwit } from "../../test/cli-session.ts";
import type { FakeMachine } from "../../test/fake-host.ts";

const LOCKED: FakeMachine = {
  files: {
    "/sys/class/powercap/intel-rapl:0/name": "package-0\n",
    "/sys/class/powercap/intel-rapl:0/energy_uj": { fault: "EACCES" },
  },
};

const doctor = (machine: FakeMachine, ...args: string[]): Promise<Answer> =>
  godwit(["doctor", ...args], { cwd: tmpdir(), env: { USER: "ada" }, machine });

describe("godwit doctor", () => {
  test("shows a machine without any sensor, and that is no failure", async () => {
    const { code, out } = await doctor({});
    expect(code).toBe(0);
    expect(out).toContain("no power sensor here");
    expect(out).toMatch(/ledger +\//);
  });

  test("names the model that answers without sensors, and how sure it is", async () => {
    const { rungs } = JSON.parse((await doctor({}, "--json")).out);
    const methods = rungs.map(({ domain, method }: Record<string, string>) => [domain, method]);
    expect(methods).toEqual([
      ["cpu", "estimated"],
      ["memory", "estimated"],
    ]);
    for (const { low, high } of rungs) {
      expect(low).toBeLessThan(1);
      expect(high).toBeGreaterThan(1);
    }
    const { out } = await doctor({});
    expect(out).toMatch(/cpu +estimated, -\d+ % to \S+/);
    expect(out).not.toContain("better, but");
  });

  test("--json prints one object of a named version", async () => {
    const diagnosis = JSON.parse((await doctor(LOCKED, "--json")).out);
    expect(diagnosis).toMatchObject({ schema: "godwit.diagnosis/1", version: "0.0.0" });
    expect(diagnosis.providers).toContainEqual(expect.objectContaining({ status: "denied" }));
  });

  test("--fix rapl prints both ways and changes nothing", async () => {
    const { out } = await doctor(LOCKED, "--fix", "rapl");
    expect(out).toContain("sudo chmod a+r");
    expect(out).toContain("groupadd --force --system rapl");
    expect(out).toContain("usermod --append --groups rapl ada");
    expect(out).toContain("docker run");
  });

  test("--fix rapl on a machine without RAPL says that there is nothing to fix", async () => {
    expect(await doctor({}, "--fix", "rapl")).toMatchObject({
      code: 0,
      out: expect.stringContaining("Nothing to fix"),
    });
  });

  test("--apply alone is refused with what to type", async () => {
    expect(await doctor(LOCKED, "--apply")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--fix rapl"),
    });
  });

  test.skipIf(process.getuid?.() === 0)("--fix rapl --apply is for root", async () => {
    expect(await doctor(LOCKED, "--fix", "rapl", "--apply")).toMatchObject({
      code: 1,
      err: expect.stringContaining("sudo godwit doctor --fix rapl --apply"),
    });
  });

  test("an unknown fix is refused with the known ones", async () => {
    expect(await doctor(LOCKED, "--fix", "nvml")).toMatchObject({
      code: 2,
      err: expect.stringContaining("rapl"),
    });
  });
});
