import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeFile, type FakeHost } from "../../../test/fake-host.ts";
import { type FakeGpu, fakeNvml, NVIDIA_FILES } from "../../../test/fake-nvml.ts";
import { simulate } from "../../../test/fake-sensors.ts";
import { NO_SUPPLY, SIGNAL } from "../../../test/run-records.ts";
import type { Card } from "../../core/card.ts";
import { exact } from "../../core/index.ts";
import { nvml } from "../sensors/nvml.ts";
import { createGpuUsage } from "./gpu-use.ts";
import { createMeter } from "./meter.ts";

const UUID = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6";

interface Job {
  readonly pid: number;
  /** Seconds between which it has its process on the device. */
  readonly from: number;
  readonly to: number;
  /** Percent of SM time. */
  readonly sm: number;
}

interface Scene {
  readonly jobs: readonly Job[];
  /** Processes of the subject. */
  readonly own: readonly number[];
  readonly seconds?: number;
  /** Seconds between ticks; 1 when not given. */
  readonly interval?: number;
  /** Watts at a moment; 60 W idle and 2.4 W for each percent of SM time when not given. */
  readonly power?: (t: number) => number;
  readonly files?: Readonly<Record<string, FakeFile>>;
  readonly shares?: boolean;
  /** Runs at half a second and then at every second of the run. */
  readonly onSecond?: (gpu: FakeGpu, t: number, host: FakeHost) => void;
}

const HOST_NUMBERING: Readonly<Record<string, FakeFile>> = {
  "/proc/2/comm": "kthreadd\n",
  "/proc/self/status": "Name:\tnode\nNSpid:\t4242\n",
};

/** A run on the fake clock, over NVML with a counter that grows by what the jobs use. */
async function run(scene: Scene): Promise<Card> {
  const { jobs, seconds = 20, shares = true } = scene;
  const at = (): number => Number(host.monotonic() - zero) / 1e9;
  const alive = (t: number) => jobs.filter(({ from, to }) => from <= t && t < to);
  const load = (t: number) => alive(t).reduce((sum, { sm }) => sum + sm, 0);
  const power = scene.power ?? ((t: number) => 60 + 2.4 * load(t));
  const energyUntil = (end: number): number => {
    let joules = 0;
    for (let t = 0; t + 0.05 <= end + 1e-9; t += 0.1) joules += 0.1 * power(t + 0.05);
    return joules;
  };
  const gpu: FakeGpu = {
    uuid: UUID,
    name: "NVIDIA GeForce RTX 3090",
    get energy() {
      return 1e9 + Math.round(1000 * energyUntil(at()));
    },
    get processes() {
      return alive(at()).map(({ pid }) => ({ pid, memory: 1n << 30n }));
    },
  };
  // As the driver does: a sample every half second of those that ran kernels since the last.
  const samples = () => {
    const period = Math.floor(at() / 0.5 + 1e-9);
    const time = BigInt(1e12 + period * 500_000);
    return alive(period * 0.5 - 0.25)
      .filter(({ sm }) => sm > 0)
      .map(({ pid, sm }) => ({ pid, time, sm }));
  };
  if (shares) Object.defineProperty(gpu, "samples", { get: samples });
  const processes = Object.fromEntries(
    jobs.map(({ pid }) => [`/proc/${pid}/stat`, `${pid} (python) R`]),
  );
  const host: FakeHost = createFakeHost({
    libraries: { "libnvidia-ml.so.1": fakeNvml([gpu]) },
    files: {
      ...NVIDIA_FILES,
      "/proc/stat": () =>
        `cpu  ${Math.round(400 * (Number(host.monotonic()) / 1e9))} 0 0 0 0 0 0 0 0 0\n`,
      ...processes,
      ...(scene.files ?? HOST_NUMBERING),
    },
  });
  let zero = host.monotonic();
  const meter = createMeter({
    host,
    providers: [nvml],
    subject: { kind: "command", name: "job", tags: {} },
    signal: SIGNAL,
    wall: NO_SUPPLY,
    pue: exact("1", 1, { method: "declared", source: "a test" }),
    interval: scene.interval ?? 1,
    subjectUse: async () => ({ cpuSeconds: 0, rssBytes: null, pids: scene.own }),
  });
  await meter.start();
  zero = host.monotonic();
  await host.elapse(500);
  for (let second = 0; second < seconds; second++) {
    scene.onSecond?.(gpu, second, host);
    await host.elapse(second + 1 === seconds ? 500 : 1000);
  }
  return meter.stop();
}

const energyOf = ({ measures }: Card) => measures.energy ?? expect.fail("no energy");
const whole = (pid: number, sm: number): Job => ({ pid, from: -1, to: 1e9, sm });

describe("the energy of an NVIDIA GPU", () => {
  test("is the subject's, idle power too, when it holds the device alone", async () => {
    const card = await run({ jobs: [whole(77, 50)], own: [77] });
    const { gross, net, attributed } = energyOf(card);
    const [gpu] = card.components;
    expect(gpu?.attributed).toEqual(gpu?.energy);
    expect(gpu?.attributed?.method).toBe("measured");
    expect(gross.value).toBeCloseTo(20 * 180, 3);
    expect(attributed?.value).toBeCloseTo(gross.value, 9);
    expect(net?.value).toBeCloseTo(gross.value, 9);
  });

  test("is shared by time on the device between two jobs, idle power by reservation", async () => {
    const { net, attributed } = energyOf(
      await run({ jobs: [whole(77, 56), whole(88, 24)], own: [77] }),
    );
    // 60 + 192 W, 80 % busy: Kepler's rule makes a fifth idle, and 70 % of the rest is the subject's.
    const total = 20 * 252;
    expect(net?.value).toBeCloseTo(0.7 * 0.8 * total, 1);
    expect(attributed?.value).toBeCloseTo(0.7 * 0.8 * total + 0.2 * total, 1);
    expect(net?.method).toBe("estimated");
  });

  test("is shared alike by ticks that come faster than the driver's samples, or slower", async () => {
    const jobs = [whole(77, 56), whole(88, 24)];
    for (const interval of [0.1, 5]) {
      const { net } = energyOf(await run({ jobs, own: [77], interval }));
      expect(Math.abs((net?.value ?? 0) / (0.7 * 0.8 * 20 * 252) - 1)).toBeLessThan(0.03);
    }
  });

  test("takes for idle what it used while no process was on it", async () => {
    const jobs = [
      { pid: 77, from: 10, to: 1e9, sm: 70 },
      { pid: 88, from: 10, to: 1e9, sm: 30 },
    ];
    const card = await run({ jobs, own: [77] });
    // 60 W for 20 s are idle; 240 W for 10 s are active.
    expect(energyOf(card).net?.value).toBeCloseTo(0.7 * 2400, 0);
    expect(energyOf(card).attributed?.value).toBeCloseTo(0.7 * 2400 + 1200, 0);
    const idle = card.steps.find(({ name }) => name.startsWith("active energy"))?.inputs["idle"];
    expect(idle?.source).toContain("no process was on it");
  });

  test("of a job that starts late is its own, with the idle power before", async () => {
    const jobs = [{ pid: 77, from: 10, to: 1e9, sm: 50 }];
    const { gross, net, attributed } = energyOf(await run({ jobs, own: [77] }));
    expect(attributed?.value).toBeCloseTo(gross.value, 9);
    expect(net?.value).toBeCloseTo(10 * 120, 0);
  });

  test("is idle power alone when the subject never used the device", async () => {
    const { gross, net, attributed } = energyOf(await run({ jobs: [], own: [77] }));
    expect(net?.value).toBe(0);
    expect(attributed?.value).toBeCloseTo(gross.value, 6);
  });

  test("goes to nobody else for a process that came before the subject and went", async () => {
    const jobs = [whole(77, 50), { pid: 88, from: -1, to: 10, sm: 50 }];
    const { gross, net } = energyOf(await run({ jobs, own: [77] }));
    // Full for ten seconds, of which half is its own, then half full and its own.
    expect(gross.value).toBeCloseTo(10 * 300 + 10 * 180, 0);
    expect(net?.value).toBeCloseTo(10 * 150 + 10 * 90, -2);
  });

  test("adds up, whoever used it", async () => {
    for (const own of [[77], [88], [77, 88], []]) {
      const jobs = [
        { pid: 77, from: 3, to: 15, sm: 40 },
        { pid: 88, from: 8, to: 18, sm: 35 },
      ];
      const { conservation } = await run({ jobs, own });
      expect(conservation?.relativeError).toBeLessThan(1e-9);
    }
  });
});

describe("where nobody can tell who used a GPU", () => {
  /** Joules that the subject has used at least. */
  const leastOf = (card: Card): number | undefined => card.components[0]?.attributed?.low;

  test("without time shares a device held alone is still the subject's", async () => {
    const card = await run({ jobs: [whole(77, 50)], own: [77], shares: false });
    expect(card.components[0]?.attributed?.method).toBe("measured");
  });

  test("without time shares a device in company is counted whole, from nothing up", async () => {
    const card = await run({ jobs: [whole(77, 50), whole(88, 50)], own: [77], shares: false });
    const { gross, attributed } = energyOf(card);
    expect(attributed?.value).toBeCloseTo(gross.value, 6);
    expect(leastOf(card)).toBe(0);
    expect(card.notices).toContainEqual(expect.stringContaining("several use it"));
  });

  test("processes in another numbering are not taken for others", async () => {
    const files = { "/proc/self/status": "NSpid:\t4242\n" };
    const jobs = [whole(645_400, 50)];
    const card = await run({
      jobs,
      own: [77],
      files: { ...files, "/proc/645400/stat": { fault: "ENOENT" } },
    });
    const { gross, attributed } = energyOf(card);
    expect(attributed?.value).toBeCloseTo(gross.value, 6);
    expect(leastOf(card)).toBe(0);
    expect(card.notices).toContainEqual(expect.stringMatching(/100 % of the time.*numbers/));
  });

  test("a number that means another process in a container is not believed", async () => {
    const files = { "/proc/77/maps": "7f00-7f01 r-xp 0 fe:00 1 /usr/bin/bash\n" };
    expect(leastOf(await run({ jobs: [whole(77, 50)], own: [77], files }))).toBe(0);
  });

  test("in a container a process that has the device mapped is known", async () => {
    const maps = "7f00-7f01 rw-s 0 00:05 9 /dev/nvidia0\n";
    const files = { "/proc/77/maps": maps, "/proc/88/maps": maps };
    const { net } = energyOf(await run({ jobs: [whole(77, 56), whole(88, 24)], own: [77], files }));
    expect(net?.value).toBeCloseTo(0.7 * 0.8 * 20 * 252, 1);
  });

  test("the subject's own number is found where /proc is of an outer numbering", async () => {
    const files = {
      "/proc/self/status": "NSpid:\t9000\t12\n",
      "/proc/77/status": "NSpid:\t77\t5\n",
      "/proc/77/maps": "/dev/nvidiactl",
      "/proc/88/status": "NSpid:\t88\n",
      "/proc/88/maps": "/dev/nvidiactl",
    };
    const { net } = energyOf(await run({ jobs: [whole(77, 56), whole(88, 24)], own: [5], files }));
    expect(net?.value).toBeCloseTo(0.7 * 0.8 * 20 * 252, 1);
  });

  test("a device that is lost costs attribution from then on, and the run goes on", async () => {
    const card = await run({
      jobs: [whole(77, 40), whole(88, 40)],
      own: [77],
      onSecond: (gpu, second) => {
        if (second === 10) gpu.lost = 15;
      },
    });
    const { gross, attributed, net } = energyOf(card);
    expect(card.gaps).not.toHaveLength(0);
    // Half of the active part while it was told, all of it after.
    expect(net?.value).toBeGreaterThan(0.6 * gross.value);
    expect(net?.low).toBeLessThan(0.35 * gross.value);
    expect(attributed?.value).toBeLessThanOrEqual(gross.value);
    expect(card.conservation?.relativeError).toBeLessThan(1e-3);
    expect(card.notices).toContainEqual(expect.stringContaining("did not answer for this device"));
  });
});

describe("asking the driver", () => {
  test("is not done where no sensor is NVIDIA's", () => {
    const host = createFakeHost();
    const sensor = simulate(host, { energy: () => 0, domain: "gpu", device: "0000:03:00.0" });
    expect(createGpuUsage(host, [sensor])).toBeNull();
  });

  test("has a deadline, and a question that hangs is not asked again", async () => {
    let asked = 0;
    const library = fakeNvml([{ uuid: UUID, name: "NVIDIA A10", samples: [] }]);
    const host = createFakeHost({
      libraries: { "libnvidia-ml.so.1": library },
      files: NVIDIA_FILES,
    });
    const ffi = await host.ffi();
    if (ffi === null) throw new Error("no FFI");
    Object.assign(host, {
      ffi: async () => ({
        open: (names: readonly string[]) => ({
          ...ffi.open(names),
          bindSlow: (prototype: string) => async () =>
            prototype.includes("nvmlInit") ? 0 : new Promise(() => void asked++),
        }),
      }),
    });
    const sensor = simulate(host, { energy: () => 0, domain: "gpu", device: UUID, id: "gpu" });
    const usage = createGpuUsage(host, [sensor]) ?? expect.fail("not watched");
    const first = usage.read(async () => []);
    await host.elapse(600);
    expect((await first)?.["gpu"]).toMatchObject({ toldS: 0, untold: "no answer within 0.5 s" });
    expect((await usage.read(async () => []))?.["gpu"]).toMatchObject({
      untold: expect.stringContaining("not answered"),
    });
    expect(asked).toBe(1);
  });
});
