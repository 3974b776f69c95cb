import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeMachine } from "../../test/fake-host.ts";
import type { CliContext } from "./context.ts";
import { doctorCommand } from "./doctor.ts";

const LOCKED: FakeMachine = {
  files: {
    "/sys/class/powercap/intel-rapl:0/name": "package-0\n",
    "/sys/class/powercap/intel-rapl:0/energy_uj": { fault: "EACCES" },
  },
};

async function doctor(machine: FakeMachine, ...args: string[]): Promise<string> {
  let out = "";
  const output = {
    isTTY: false,
    columns: 80,
    write(content: string | Uint8Array) {
      out += String(content);
      return true;
    },
  };
  const context: CliContext = {
    stdout: output,
    stderr: output,
    stdin: { isTTY: false },
    env: { USER: "ada" },
    cwd: tmpdir(),
    host: createFakeHost(machine),
    version: "0.0.0",
    inherited: [],
    setExitCode() {
      throw new Error("a diagnosis does not fail");
    },
  };
  const command = doctorCommand(context)
    .exitOverride()
    .configureOutput({ writeErr() {} });
  await command.parseAsync(args, { from: "user" });
  return out;
}

describe("godwit doctor", () => {
  test("shows a machine without any sensor, and that is no failure", async () => {
    const out = await doctor({});
    expect(out).toContain("no power sensor here");
    expect(out).toMatch(/ledger +\//);
  });

  test("--json prints one object of a named version", async () => {
    const diagnosis = JSON.parse(await doctor(LOCKED, "--json"));
    expect(diagnosis).toMatchObject({ schema: "godwit.diagnosis/1", version: "0.0.0" });
    expect(diagnosis.providers).toContainEqual(expect.objectContaining({ status: "denied" }));
  });

  test("--fix rapl prints both ways and changes nothing", async () => {
    const out = await doctor(LOCKED, "--fix", "rapl");
    expect(out).toContain("sudo chmod a+r");
    expect(out).toContain("groupadd --force --system rapl");
    expect(out).toContain("usermod --append --groups rapl ada");
    expect(out).toContain("docker run");
  });

  test("--fix rapl on a machine without RAPL says that there is nothing to fix", async () => {
    expect(await doctor({}, "--fix", "rapl")).toContain("Nothing to fix");
  });

  test("--apply alone is refused with what to type", async () => {
    await expect(doctor(LOCKED, "--apply")).rejects.toMatchObject({
      code: "usage",
      hint: expect.stringContaining("--fix rapl"),
    });
  });

  test.skipIf(process.getuid?.() === 0)("--fix rapl --apply is for root", async () => {
    await expect(doctor(LOCKED, "--fix", "rapl", "--apply")).rejects.toMatchObject({
      code: "denied",
      hint: "sudo godwit doctor --fix rapl --apply",
    });
  });

  test("an unknown fix is refused with the known ones", async () => {
    await expect(doctor(LOCKED, "--fix", "nvml")).rejects.toThrow("rapl");
  });
});
