import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeHost, type FakeMachine } from "../../../test/fake-host.ts";
import { providerOf, type SimulatedSensor, simulate } from "../../../test/fake-sensors.ts";
import { NO_SUPPLY, SIGNAL } from "../../../test/run-records.ts";
import { parseCard } from "../../core/card.ts";
import { exact } from "../../core/index.ts";
import { model } from "../estimate/index.ts";
import { createMeter, type MeterOptions, type Sample } from "./meter.ts";
import type { SegmentRecord } from "./record.ts";

const declared = { method: "declared", source: "a test" } as const;

/** /proc/stat of a machine of eight processors of which `busy` work. */
const statOf = (host: () => FakeHost, busy: number) => () => {
  const seconds = Number(host().monotonic()) / 1e9;
  const ticks = Math.round(busy * seconds * 100);
  return `cpu  ${ticks} 0 0 ${Math.round((8 - busy) * seconds * 100)} 0 0 0 0 0 0\n`;
};

/** A meter over simulated sensors; half of the machine's busy time is this process's. */
function rig(
  sensors: readonly SimulatedSensor[],
  options: Partial<MeterOptions> & { machine?: FakeMachine; busy?: number } = {},
) {
  const { machine, busy = 4, ...rest } = options;
  const host: FakeHost = createFakeHost({
    ownUsage: () => ({ cpuS: (busy / 2) * (Number(host.monotonic()) / 1e9), rssBytes: 1e9 }),
    ...machine,
    files: { "/proc/stat": statOf(() => host, busy), ...machine?.files },
  });
  const heard: string[] = [];
  const meter = createMeter({
    host,
    providers: [providerOf(...sensors.map((simulated) => simulate(host, simulated)))],
    subject: { kind: "span", name: "test", tags: {} },
    signal: SIGNAL,
    wall: NO_SUPPLY,
    pue: exact("1", 1, declared),
    onNotice: (text) => heard.push(text),
    ...rest,
  });
  return { host, meter, heard };
}

describe("a meter", () => {
  test("turns sensors into a card", async () => {
    const { host, meter } = rig([{ energy: (t) => 50 * t }]);
    await meter.start();
    await host.elapse(10_000);
    const card = await meter.stop({ status: "complete" });
    expect(parseCard(JSON.parse(JSON.stringify(card)))).toEqual(card);
    expect(card.id).toBe(meter.id);
    expect(card.measures.energy?.gross.value).toBeCloseTo(500, 6);
    // Half busy, half of that its own, nothing reserved away: 125 J and 250 J of idle.
    expect(card.measures.energy?.net?.value).toBeCloseTo(125, 0);
    expect(card.measures.energy?.attributed?.value).toBeCloseTo(375, 0);
    expect(card.endedAt).toBe("2026-01-01T00:00:10.000Z");
  });

  test("measures a baseline while the machine is quiet", async () => {
    const { host, meter } = rig([{ energy: (t) => 20 * t }], { idleBaseline: 3, busy: 0.1 });
    await meter.start();
    await host.elapse(5000);
    const card = await meter.stop();
    expect(card.measures.energy?.net?.value).toBeCloseTo(0, 6);
    expect(card.measures.energy?.attributed?.value).toBeCloseTo(100, 6);
  });

  test("takes the idle power of earlier runs where it has no baseline, and goes on without", async () => {
    const idle = { "fake:package-0": exact("W", 20, declared) };
    const card = async (history: MeterOptions["idleHistory"]) => {
      const options = history === undefined ? {} : { idleHistory: history };
      const { host, meter } = rig([{ energy: (t) => 50 * t }], options);
      await meter.start();
      await host.elapse(10_000);
      return meter.stop();
    };
    // 300 J beyond idle, half of them its own.
    expect((await card(async () => idle)).measures.energy?.net?.value).toBeCloseTo(150, 0);
    const without = (await card(undefined)).measures.energy?.net;
    expect((await card(() => Promise.reject(new Error("no ledger")))).measures.energy?.net).toEqual(
      without,
    );
  });

  test("counts from its first reading also where the clock moves while it reads", async () => {
    const { host, meter } = rig([{ energy: (t) => 50 * t }]);
    const { monotonic } = host;
    let reads = 0n;
    Object.assign(host, { monotonic: () => monotonic() + 1000n * ++reads });
    await meter.start();
    await host.elapse(10_000);
    const card = await meter.stop();
    expect(card.measures.energy?.attributed?.value).toBeCloseTo(375, 0);
  });

  test("takes no baseline of a busy machine, and says so at once and on the card", async () => {
    const { host, meter, heard } = rig([{ energy: (t) => 50 * t }], { idleBaseline: 3 });
    await meter.start();
    await host.elapse(2000);
    const card = await meter.stop();
    expect(heard).toEqual(["no idle baseline of this machine: it was 50 % busy"]);
    expect(card.notices).toContain(heard[0]);
  });

  test("looks at the machine's processors once a sample, whoever needs to know", async () => {
    let looks = 0;
    const { host, meter } = rig([], {
      providers: [model],
      machine: {
        files: {
          "/proc/stat": () => {
            looks++;
            return `cpu  ${looks} 0 0 0 0 0 0 0 0 0\n`;
          },
        },
      },
    });
    await meter.start();
    expect(meter.sensors().map(({ id }) => id)).toEqual(["model:cpu", "model:memory"]);
    const before = looks;
    await host.elapse(5000);
    expect(looks - before).toBe(5);
    await meter.stop();
  });

  test("writes every record to its sink, first line first and end last", async () => {
    const written: SegmentRecord[] = [];
    const sink = () => ({
      append(record: SegmentRecord) {
        written.push(record);
        return null;
      },
    });
    const { host, meter } = rig([{ energy: (t) => 50 * t }], { sink });
    await meter.start();
    await host.elapse(3000);
    await meter.stop();
    expect(written.map(({ type }) => type)).toEqual([
      "start",
      "tick",
      "tick",
      "tick",
      "tick",
      "tick",
      "end",
    ]);
  });

  test("goes on when nothing can be saved, and says so once", async () => {
    const sink = () => ({ append: () => ({ reason: "ENOSPC" }) });
    const { host, meter, heard } = rig([{ energy: (t) => 50 * t }], { sink });
    await meter.start();
    await host.elapse(3500);
    const card = await meter.stop();
    expect(heard).toEqual([expect.stringContaining("not being saved")]);
    expect(card.measures.energy?.gross.value).toBeCloseTo(175, 6);
    expect(card.notices).toContain(heard[0]);
  });

  test("counts a subject of its caller's and then knows its own cost", async () => {
    const { host, meter } = rig([{ energy: (t) => 50 * t }], {
      subjectUse: async () => ({ cpuSeconds: 0, rssBytes: null }),
    });
    await meter.start();
    await host.elapse(4000);
    const card = await meter.stop({
      subjectS: 4,
      exit: { code: 3, signal: null },
      status: "failed",
    });
    expect(card).toMatchObject({ status: "failed", exit: { code: 3 } });
    expect(card.measures.cpuTime?.value).toBe(4);
    expect(card.overhead).toMatchObject({ cpuS: 8, rssBytes: 1e9 });
  });

  test("streams samples while it runs", async () => {
    const { host, meter } = rig([{ energy: (t) => 50 * t }]);
    await meter.start();
    const seen: Sample[] = [];
    const reading = (async () => {
      for await (const sample of meter.samples()) seen.push(sample);
    })();
    await host.elapse(2500);
    await meter.stop();
    await reading;
    expect(seen.map(({ t, joules }) => [t, Math.round(joules["fake:package-0"] ?? -1)])).toEqual([
      [1, 50],
      [2, 100],
      [2.5, 125],
    ]);
  });

  test("measures spans to their moment, not to the interval", async () => {
    const stepped = (t: number): number => (t < 1.3 ? 10 * t : 13 + 100 * (t - 1.3));
    const { host, meter } = rig([{ energy: stepped }]);
    await meter.start();
    await host.elapse(1300);
    const span = await meter.openSpan("hot");
    await host.elapse(400);
    const used = await span.close();
    expect(await span.close()).toBe(used);
    await host.elapse(300);
    const card = await meter.stop();
    // 40 J; half busy, half of it its own, all of the idle: three quarters.
    expect(used.energy?.value).toBeCloseTo(30, 0);
    expect(used.duration).toBeCloseTo(0.4, 9);
    expect(card.spans).toMatchObject([{ name: "hot", startS: 1.3 }]);
    expect(card.spans[0]?.energy?.value).toBeCloseTo(30, 0);
  });
});

test("a span in the first moments of a run is seen too", async () => {
  const { host, meter } = rig([{ energy: (t) => 50 * t }]);
  await meter.start();
  const span = await meter.openSpan("early");
  await host.elapse(30);
  expect((await span.close()).energy?.value).toBeGreaterThan(0);
});

test("a span begins and ends when that was seen, not when it was told", async () => {
  const { host, meter } = rig([{ energy: (t) => 50 * t }]);
  const zero = host.monotonic();
  await meter.start();
  await host.elapse(2000);
  const span = await meter.openSpan("late", undefined, zero + 500_000_000n);
  await host.elapse(1000);
  const used = await span.close(zero + 1_500_000_000n);
  expect(used.duration).toBeCloseTo(1, 9);
  // 50 W; half busy, half of it its own, all of the idle: three quarters.
  expect(used.energy?.value).toBeCloseTo(37.5, 0);
  expect((await meter.stop()).spans).toMatchObject([{ startS: 0.5, endS: 1.5 }]);
});

describe("who claims the machine", () => {
  const sensors: readonly SimulatedSensor[] = [
    { energy: (t) => 50 * t },
    { energy: (t) => 200 * t, domain: "gpu", device: "gpu-0", id: "fake:gpu-0" },
  ];
  const run = async (env: Record<string, string>) => {
    const { host, meter } = rig(sensors, { machine: { env } });
    await meter.start();
    await host.elapse(10_000);
    return meter.stop();
  };

  test.each(["SLURM_LOCALID", "LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK"])(
    "a rank by %s has its active share; rank 0 has machine, idle and GPU; together once",
    async (variable) => {
      const [first, second] = [await run({ [variable]: "0" }), await run({ [variable]: "1" })];
      expect(second.measures.energy?.gross.value).toBeCloseTo(125, 0);
      expect(second.measures.energy?.attributed?.value).toBeCloseTo(125, 0);
      expect(second.components.map(({ device }) => device)).toEqual(["package-0"]);
      expect(second.notices.join()).toContain(`rank 1 of its node (${variable})`);
      expect(first.measures.energy?.gross.value).toBeCloseTo(2500, 6);
      const both = [first, second].map((card) => card.measures.energy?.attributed?.value ?? 0);
      // Rank 0: 125 J active, 250 J idle, the GPU's 2000 J. The ranks' CPU time is all there is.
      expect((both[0] ?? 0) + (both[1] ?? 0)).toBeCloseTo(2500, 0);
    },
  );

  test("a run inside another of this machine says whose energy it has too", async () => {
    const { meter } = rig(sensors);
    await meter.start();
    const { machine } = await meter.stop();
    const card = await run({ GODWIT_RUN: `run-7@${machine.id}` });
    expect(card.subject.tags).toEqual({ inside: "run-7" });
    expect(card.notices.join()).toContain("inside the run run-7");
  });

  test("a mark that a batch system carried from another machine means nothing here", async () => {
    const card = await run({ GODWIT_RUN: "run-7@elsewhere" });
    expect(card.subject.tags).toEqual({});
    expect(card.notices.join()).not.toContain("inside");
  });
});
