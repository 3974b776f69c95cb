// `godwit calibrate` as a function call, on a simulated machine; the profile goes to a real folder.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSession } from "../../test/cli-session.ts";
import { loadMachine } from "../../test/fake-host.ts";
import {
  attachMeter,
  METER_FILE,
  type SimulatedMachine,
  type SimulatedRig,
  simulateMachine,
} from "../../test/simulated-machine.ts";
import { type CalibrateParts, calibrateCommand } from "./calibrate.ts";
import { parseReadings, parseSteps } from "./calibrate-values.ts";
import type { CliContext } from "./context.ts";

let config: string;
beforeEach(() => {
  config = mkdtempSync(join(tmpdir(), "godwit-calibrate-"));
});
afterEach(() => rmSync(config, { recursive: true }));

const rigWith = (machine: SimulatedMachine = {}): SimulatedRig =>
  simulateMachine({ ...machine, env: { XDG_CONFIG_HOME: config } });

interface Said {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

async function calibrateOn(
  { host, load }: Pick<SimulatedRig, "host" | "load">,
  args: readonly string[],
  { ask, isTTY = false }: { ask?: CalibrateParts["ask"]; isTTY?: boolean } = {},
): Promise<Said> {
  const { context, printed } = createSession({ cwd: "/", isTTY });
  let code = 0;
  const own: CliContext = {
    ...context,
    host,
    settle: () => () => {},
    program: fileURLToPath(new URL("./main.ts", import.meta.url)),
    setExitCode: (value) => {
      code = value;
    },
  };
  const parts: CalibrateParts = {
    createLoad: () => load,
    ask: ask ?? (() => Promise.reject(new Error("nobody is there"))),
  };
  await calibrateCommand(own, parts).parseAsync([...args], { from: "user" });
  const text = (parts: readonly Buffer[]): string => Buffer.concat(parts).toString();
  return { out: text(printed.out), err: text(printed.err), code };
}

const profiles = (): readonly string[] => {
  const folder = join(config, "godwit/profiles");
  return existsSync(folder) ? readdirSync(folder) : [];
};

/** What is on the real disk, for the made-up machine to read. */
function seeProfile({ host }: SimulatedRig): void {
  for (const name of profiles()) {
    const path = join(config, "godwit/profiles", name);
    host.files.set(path, readFileSync(path, "utf8"));
  }
}

describe("godwit calibrate", () => {
  test("finds the BMC, tells each step, keeps the profile, shows and removes it", async () => {
    const rig = rigWith({ others: () => 0 });
    attachMeter(rig, "bmc");
    const { out, err } = await calibrateOn(rig, ["--seconds", "10"]);
    expect(err).toContain("against    ACPI power meter");
    expect(err.match(/ asked /g)).toHaveLength(10);
    expect(out).toMatch(/load curve idle 53\.0 W \(.*\), full 14[45] W \(.*\), shape 0\.80/);
    expect(out).toMatch(/residual {3}0\.\d %/);
    expect(profiles()).toHaveLength(1);

    seeProfile(rig);
    const shown = await calibrateOn(rig, ["--show"]);
    expect(shown.out).toContain("used       by runs on this machine");
    await calibrateOn(rig, ["--remove"]);
    expect(profiles()).toHaveLength(0);
  });

  test("takes a meter's file, and prints one JSON object", async () => {
    const rig = rigWith({ others: () => 0 });
    attachMeter(rig, "file");
    const { out } = await calibrateOn(rig, ["--meter", METER_FILE, "--seconds", "5", "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      schema: "godwit.profile/1",
      truth: { kind: "meter", label: `meter file ${METER_FILE}` },
    });
  });

  test("takes readings that were noted, one for each step", async () => {
    const rig = rigWith({ others: () => 0 });
    const watts = [0, 0.25, 0.5, 0.75, 1].map((load) => Math.round(rig.wallAt(load))).join();
    const { err } = await calibrateOn(rig, ["--readings", watts]);
    expect(err.match(/ asked /g)).toHaveLength(5);
    expect(rig.load.asked).toEqual([0, 0.25, 0.5, 0.75, 1]);
    await expect(calibrateOn(rig, ["--readings", "60,70"])).rejects.toThrow(
      "2 readings for 5 steps",
    );
  });

  test("asks a person, again where the answer is no number", async () => {
    const rig = rigWith({ others: () => 0 });
    const answers: string[] = ["about sixty"];
    const ask = async (): Promise<string> => answers.shift() ?? `${rig.reading().toFixed(1)} W`;
    const { err, out } = await calibrateOn(rig, ["--readings"], { ask, isTTY: true });
    expect(err).toContain("Type a number of watts");
    expect(out).toContain("against typed readings");
    await expect(calibrateOn(rig, ["--readings"])).rejects.toMatchObject({ code: "usage" });
  });

  test("does nothing in a dry run", async () => {
    const rig = rigWith();
    attachMeter(rig, "bmc");
    const { out } = await calibrateOn(rig, ["--dry-run"]);
    expect(out).toContain("steps      10, about 5 min");
    expect(rig.load.asked).toEqual([]);
    expect(profiles()).toEqual([]);
  });

  test("refuses a busy machine and keeps what was stored before", async () => {
    const quiet = rigWith({ others: () => 0 });
    attachMeter(quiet, "bmc");
    await calibrateOn(quiet, ["--seconds", "5"]);
    const before = profiles().map((name) => readFileSync(join(config, "godwit/profiles", name)));
    const busy = rigWith({ others: () => 0.4 });
    attachMeter(busy, "bmc");
    await expect(calibrateOn(busy, [])).rejects.toThrow("other processes use 40 %");
    const after = profiles().map((name) => readFileSync(join(config, "godwit/profiles", name)));
    expect(after).toEqual(before);
  });

  test("interrupted, ends the load and leaves nothing", async () => {
    const rig = rigWith({ others: () => 0 });
    // As the terminal's Ctrl-C arrives while somebody is asked.
    const ask = (_: string, signal: AbortSignal): Promise<string> => {
      process.emit("SIGINT");
      return Promise.reject(signal.reason);
    };
    const { err, code } = await calibrateOn(rig, ["--readings"], { ask, isTTY: true });
    expect(err).toContain("Interrupted; what was stored before is unchanged.");
    expect(code).toBe(130);
    expect(rig.load.stopped).toBe(true);
    expect(profiles()).toEqual([]);
  });

  test("says plainly on a guest that nothing there measures what it draws", async () => {
    const host = loadMachine("guest-kvm-no-sensors", { env: { XDG_CONFIG_HOME: config } });
    await expect(calibrateOn({ host, load: rigWith().load }, [])).rejects.toMatchObject({
      code: "unsupported",
      message: "this is a guest: nothing here measures what it draws",
    });
  });

  test("without a profile there is nothing to show", async () => {
    await expect(calibrateOn(rigWith(), ["--show"])).rejects.toThrow("no stored profile");
  });
});

describe("lists of numbers", () => {
  test("are read", () => {
    expect(parseSteps("--steps", "0, 50%,100")).toEqual([0, 0.5, 1]);
    expect(parseReadings("--readings", "62,78.5")).toEqual([62, 78.5]);
  });
  test.each(["", "50,0", "0,,50", "0,101", "x"])("--steps %j is refused", (text) => {
    expect(() => parseSteps("--steps", text)).toThrow(`cannot read "${text}"`);
  });
  test.each(["", "62,-1", "62;78", "62,"])("--readings %j is refused", (text) => {
    expect(() => parseReadings("--readings", text)).toThrow(`cannot read "${text}"`);
  });
});
