import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { createNodeHost } from "../../core/host/node-host.ts";
import { countHelpers, createSubjectCounter } from "./cpu-time.ts";
import { launch } from "./execute.ts";

const noGroup = { status: "absent", reason: "no group in this test" } as const;
const onLinux = process.platform === "linux";
if (!onLinux) console.warn("skipped: CPU time by /proc needs Linux");

async function output(script: string): Promise<{ kernel: number; counted: number | null }> {
  const counter = await createSubjectCounter({
    host: createNodeHost(),
    group: noGroup,
    helperSeconds: () => 0,
  });
  const { mkdtempSync, openSync, readFileSync, rmSync, closeSync } = await import("node:fs");
  const folder = mkdtempSync(join(tmpdir(), "godwit-test-"));
  try {
    const out = openSync(`${folder}/out`, "w");
    const running = await launch({
      command: "bash",
      args: ["-c", script],
      env: process.env,
      output: [out, 2],
      inherited: [],
      group: null,
      ignoreHangup: false,
    });
    counter.follow(running.pid);
    await running.ended;
    closeSync(out);
    const counted = await counter.finish();
    const times = [...readFileSync(`${folder}/out`, "utf8").matchAll(/(\d+)m([\d.]+)s/g)];
    const kernel = times.reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
    return { kernel, counted };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.skipIf(!onLinux)(
  "without a group, short children are counted once they were waited for",
  async () => {
    const script = "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done; times";
    const { kernel, counted } = await output(script);
    // The table's ticks are hundredths of a second.
    expect(Math.abs((counted ?? 0) - kernel)).toBeLessThan(0.02 * kernel + 0.03);
  },
);

test("a host without a process table says that nothing is counted, not zero", async () => {
  const host = createFakeHost({ platform: "win32" });
  const counter = await createSubjectCounter({ host, group: noGroup, helperSeconds: () => 0 });
  expect(await counter.read()).toEqual({ cpuSeconds: null, rssBytes: null });
  expect(counter.fallbacks).toEqual(["no group in this test", "no process table on win32"]);
});

test("CPU time of programs that godwit itself runs is not the command's", async () => {
  let reaped = 100;
  const stat = (): string => `1 (node) S 0 1 1 0 -1 0 0 0 0 0 0 0 ${reaped} 50 20 0 1 0 5 0 10 0`;
  const host = createFakeHost({
    files: {
      "/proc/self/stat": stat,
      "/proc/self/status": "VmRSS:\t40 kB\n",
      "/proc/1/stat": stat,
    },
    commands: {
      "nvidia-smi": () => {
        reaped += 200;
        return { stdout: "" };
      },
    },
  });
  const counted = countHelpers(host);
  const { helperSeconds } = counted;
  const counter = await createSubjectCounter({ host: counted.host, group: noGroup, helperSeconds });
  counter.follow(99);
  await counted.host.run("nvidia-smi", [], { timeout: 1 });
  expect(helperSeconds()).toBe(2);
  expect((await counter.read()).cpuSeconds).toBe(0);
  // The command was waited for: 3 s of its own.
  reaped += 300;
  expect(await counter.finish()).toBeCloseTo(3, 9);
});
