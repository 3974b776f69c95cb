import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeMachine } from "../../../test/fake-host.ts";
import { providers, type SensorProvider } from "../../measure/sensors/index.ts";
import { columnsOf } from "../columns.ts";
import { diagnose, intervalOf, type ProcessFacts } from "./diagnosis.ts";
import {
  applyFix,
  type FixStep,
  RAPL_GROUP,
  raplFixScript,
  raplFixSteps,
  UDEV_RULE,
} from "./rapl-fix.ts";
import { renderDiagnosis } from "./terminal.ts";

const facts: ProcessFacts = {
  version: "0.0.0",
  ledger: { folder: "/home/someone/.godwit", chosenBy: "project", fault: null },
  cpuTime: { source: "cgroup v2 cpu.stat", fallbacks: [] },
  paths: { node: "/usr/bin/node" },
};

const ZONE = "/sys/class/powercap/intel-rapl:0";
const rapl = (energy: string | { fault: string }): FakeMachine => ({
  files: {
    [`${ZONE}/name`]: "package-0\n",
    [`${ZONE}/energy_uj`]: energy,
    [`${ZONE}/max_energy_range_uj`]: "262143328850\n",
  },
  facts: { timeZone: "Europe/Paris" },
});

const examine = (machine: FakeMachine, list: readonly SensorProvider[] = providers) =>
  diagnose(createFakeHost(machine), list, facts);

describe("a diagnosis", () => {
  test("of a machine with readable RAPL names the rung and its uncertainty", async () => {
    const { rungs, signal } = await examine(rapl("123456\n"));
    expect(rungs).toMatchObject([
      { domain: "cpu", device: "package-0", provider: "rapl-powercap", method: "measured" },
    ]);
    // 3 % of standard deviation: exp(-+1.645 x 0.03).
    expect(rungs[0]?.low).toBeCloseTo(0.952, 3);
    expect(rungs[0]?.high).toBeCloseTo(1.051, 3);
    expect(signal.zone).toBe("FR");
  });

  test("of a machine with locked RAPL says denied, why, and what to do", async () => {
    const diagnosis = await examine(rapl({ fault: "EACCES" }));
    const finding = diagnosis.providers.find(({ name }) => name === "rapl-powercap");
    expect(finding).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("CVE-2020-8694"),
      remedy: expect.stringContaining("chmod"),
    });
    const text = renderDiagnosis(diagnosis);
    expect(text).toMatch(/x rapl-powercap +denied/);
    expect(text).toMatch(/fix: .*\n? *sudo chmod|fix: until the next boot: sudo chmod/);
    expect(diagnosis.rungs).toEqual([]);
  });

  test("of an empty machine is a diagnosis too, and asks every provider", async () => {
    const diagnosis = await examine({});
    expect(diagnosis.providers).toHaveLength(providers.length);
    expect(diagnosis.ffi).toBe(false);
    expect(renderDiagnosis(diagnosis)).toContain("no power sensor here, runs are estimated");
  });

  test("survives a provider that throws and one that never answers", async () => {
    const broken: SensorProvider = {
      name: "broken",
      description: "throws",
      domains: ["cpu"],
      probe: async () => {
        throw new Error("out of order");
      },
      close: async () => {
        throw new Error("still out of order");
      },
    };
    const { providers: found } = await examine({}, [broken]);
    expect(found).toMatchObject([{ name: "broken", status: "absent", reason: "out of order" }]);
  });

  test("is JSON and comes back the same", async () => {
    const diagnosis = await examine(rapl("123456\n"));
    expect(JSON.parse(JSON.stringify(diagnosis))).toEqual(diagnosis);
  });

  test.each([40, 80, 132])("fits in %i columns", async (width) => {
    for (const machine of [{}, rapl("1\n"), rapl({ fault: "EACCES" })]) {
      for (const line of renderDiagnosis(await examine(machine), { width }).split("\n")) {
        expect(columnsOf(line)).toBeLessThanOrEqual(width);
      }
    }
  });

  test("sends no escape sequence of a machine's names to the terminal", async () => {
    const hostile = rapl("1\n");
    const diagnosis = await examine({ ...hostile, facts: { cpuName: "\u001b[2JEvil" } });
    expect(renderDiagnosis(diagnosis).replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("a clock that was never set is a fault", async () => {
    const host = createFakeHost();
    host.jumpWall(-50 * 365 * 86_400_000);
    expect((await diagnose(host, [], facts)).clock.fault).toContain("the wall clock says 197");
  });
});

test("an error given as factors is taken as it is", () => {
  expect(intervalOf({ low: 0.5, high: 2 })).toEqual({ low: 0.5, high: 2 });
});

describe("the fix for RAPL", () => {
  test("opens the counters to a group, never to everybody, and lasts over a boot", () => {
    const script = raplFixScript(raplFixSteps("ada"));
    expect(script).toContain(`chgrp ${RAPL_GROUP}`);
    expect(script).toContain("chmod 0440");
    expect(script).not.toMatch(/a\+r|o\+r|0?444/);
    expect(script).toContain(UDEV_RULE);
    expect(script).toContain(`usermod --append --groups ${RAPL_GROUP} ada`);
  });

  test("is carried out in order, the rule before udev reads it", async () => {
    const done: string[] = [];
    const program = (name: string) => (args: readonly string[]) => {
      done.push([name, ...args].join(" "));
      return {};
    };
    const commands = Object.fromEntries(
      ["groupadd", "udevadm", "usermod"].map((name) => [name, program(name)]),
    );
    await applyFix(raplFixSteps("ada"), {
      host: createFakeHost({ commands }),
      writeFile: async (path) => void done.push(`write ${path}`),
    });
    expect(done).toEqual([
      "groupadd --force --system rapl",
      `write ${UDEV_RULE}`,
      "udevadm control --reload",
      "udevadm trigger --subsystem-match=powercap --action=add",
      "usermod --append --groups rapl ada",
    ]);
  });

  test("stops at the step that fails and names it", async () => {
    const tried: FixStep[] = [];
    const commands = { groupadd: () => ({ code: 10, stderr: "cannot lock /etc/group" }) };
    await expect(
      applyFix(raplFixSteps(null), {
        host: createFakeHost({ commands }),
        writeFile: async () => {},
        onStep: (step) => void tried.push(step),
      }),
    ).rejects.toThrow("groupadd --force --system rapl failed: cannot lock /etc/group");
    expect(tried).toHaveLength(1);
  });
});
