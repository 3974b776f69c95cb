import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeHost } from "../../../test/fake-host.ts";
import { type SimulatedSensor, simulate } from "../../../test/fake-sensors.ts";
import { endRecord, sensorRecord, startRecord } from "../../../test/run-records.ts";
import { assemble } from "./assemble.ts";
import type { SegmentRecord, TickRecord } from "./record.ts";
import { createSampler, type Sampler, type Usage } from "./sampler.ts";

interface Rig {
  readonly host: FakeHost;
  readonly sampler: Sampler;
  readonly records: SegmentRecord[];
  ticks(): TickRecord[];
}

/** A sampler over simulated sensors. */
function rig(
  sensors: readonly SimulatedSensor[],
  options: { interval?: number; usage?: (host: FakeHost) => Promise<Usage> } = {},
): Rig {
  const host = createFakeHost();
  const real = sensors.map((simulated) => simulate(host, simulated));
  const records: SegmentRecord[] = [
    startRecord({
      sensors: real.map(({ read: _, contains: __, range: ___, ...record }) =>
        sensorRecord({ ...record, counted: true, fallbacks: [] }),
      ),
    }),
  ];
  const none = async (): Promise<Usage> => ({ busyS: null, subjectS: null, rss: null });
  const usage = options.usage;
  const sampler = createSampler({
    host,
    sensors: real,
    usage: usage === undefined ? none : () => usage(host),
    emit: (record) => records.push(record),
    ...(options.interval === undefined ? {} : { interval: options.interval }),
  });
  return {
    host,
    sampler,
    records,
    ticks: () => records.filter((record) => record.type === "tick"),
  };
}

/** Runs for some seconds and gives the card's gross energy. */
async function measureFor({ host, sampler, records }: Rig, seconds: number) {
  await sampler.start();
  await host.elapse(seconds * 1000);
  const { t } = await sampler.stop();
  const card = assemble([...records, endRecord(t)]);
  return { card, gross: card.measures.energy?.gross };
}

// A load with an idle floor, a slow swing and steps: mean over many seconds is about 60 W.
const swinging = (t: number): number => 60 * t + 100 * Math.sin(t / 5) + 40 * Math.floor(t / 7);

describe("energy comes back", () => {
  test("from a counter, within its quantum", async () => {
    const quantum = 2 ** -14;
    const { gross } = await measureFor(rig([{ energy: swinging, quantum }]), 60);
    expect(Math.abs((gross?.value ?? 0) - (swinging(60) - swinging(0)))).toBeLessThanOrEqual(
      quantum,
    );
  });

  test("from a counter that wraps every minute and a half, over ten minutes", async () => {
    const simulated = { energy: (t: number) => 150 * t, range: 65_536 / 4, maxPower: 250 };
    const { gross, card } = await measureFor(rig([simulated]), 600);
    expect(gross?.value).toBeCloseTo(150 * 600, 6);
    expect(card.gaps).toEqual([]);
  });

  test("from a slow counter, within one update", async () => {
    const { gross, card } = await measureFor(rig([{ energy: swinging, updatePeriod: 0.8 }]), 59.5);
    expect(Math.abs((gross?.value ?? 0) - (swinging(59.5) - swinging(0)))).toBeLessThan(80);
    expect(card.gaps).toEqual([]);
  });

  test("from readings of power, by the trapezoid rule", async () => {
    const energy = (t: number): number => 60 * t + 100 * Math.sin(t / 5);
    const { gross } = await measureFor(rig([{ energy, kind: "power" }]), 60);
    const truth = energy(60) - energy(0);
    expect(Math.abs((gross?.value ?? 0) - truth) / truth).toBeLessThan(2e-3);
    expect(gross?.method).toBe("sampled");
  });

  test("from a gauge whose readings are always 0.8 s old, for as long as the run took", async () => {
    const { gross, card } = await measureFor(
      rig([{ energy: (t) => 50 * t, kind: "power", lag: 0.8 }]),
      10,
    );
    expect(gross?.value).toBeCloseTo(500, 3);
    expect(card.gaps).toEqual([]);
  });

  test("for a window that is no multiple of the interval", async () => {
    const { gross, card } = await measureFor(rig([{ energy: (t) => 80 * t }]), 3.37);
    expect(card.measures.duration.value).toBeCloseTo(3.37, 9);
    expect(gross?.value).toBeCloseTo(80 * 3.37, 6);
  });
});

test("a counter that does not move in a short run is below resolution, not zero", async () => {
  const frozen = { energy: () => 123, updatePeriod: 0.1 };
  const { card } = await measureFor(rig([frozen]), 0.5);
  expect(card.measures.energy).toBeUndefined();
  expect(card.notices.join()).toContain("did not move");
});

describe("a sensor in trouble", () => {
  test("that fails for a while has a gap and, being a counter, loses nothing", async () => {
    const fault = (t: number) => (t > 3.5 && t < 6.5 ? new Error("EIO") : null);
    const { gross, card } = await measureFor(rig([{ energy: swinging, fault }]), 12);
    expect(gross?.value).toBeCloseTo(swinging(12) - swinging(0), 6);
    expect(gross?.method).toBe("measured");
    expect(card.gaps).toMatchObject([{ fromS: 3, toS: 7, reason: "unreadable: EIO" }]);
  });

  test("that dies in the middle is bridged at its last power, said so, and widened", async () => {
    const fault = (t: number) => (t > 6 ? new Error("gone") : null);
    const { gross, card } = await measureFor(rig([{ energy: (t) => 50 * t, fault }]), 10);
    expect(gross?.value).toBeCloseTo(500, 6);
    expect(gross?.low).toBeLessThan(420);
    expect(gross?.method).toBe("estimated");
    expect(gross?.fallbacks.join()).toContain("gone");
    expect(card.gaps).toMatchObject([{ fromS: 6, toS: 10 }]);
  });

  test("whose counter starts again is bridged", async () => {
    const offset = (t: number) => (t >= 5 ? -50 * 5 : 1000);
    const { gross, card } = await measureFor(rig([{ energy: (t) => 50 * t, offset }]), 10);
    expect(gross?.value).toBeCloseTo(500, 6);
    expect(card.gaps).toMatchObject([{ fromS: 4, toS: 5 }]);
  });

  test("that hangs delays the others by no more than its deadline, and is asked again once free", async () => {
    const hanging = {
      id: "fake:hung",
      device: "hung",
      energy: swinging,
      fault: (t: number) => (t > 2.5 ? ("hang" as const) : null),
    };
    const good = { energy: (t: number) => 70 * t };
    const run = rig([good, hanging]);
    await run.sampler.start();
    await run.host.elapse(10_000);
    // The first unanswered reading costs one deadline of a second; later ones cost nothing.
    expect(run.ticks().length).toBeGreaterThanOrEqual(10);
    const stopped = run.sampler.stop();
    await run.host.elapse(1000);
    const { t } = await stopped;
    const card = assemble([...run.records, endRecord(t)]);
    const [first] = card.components;
    expect(first?.energy.value).toBeCloseTo(70 * t, 6);
    expect(card.gaps.map(({ sensor }) => sensor)).toEqual(["fake:hung"]);
  });

  test("that throws before its first await is a gap, not a crash", async () => {
    const run = rig([{ energy: () => 0, fault: () => new Error("never") }]);
    const { card } = await measureFor(run, 3);
    expect(card.measures.energy).toBeUndefined();
    expect(card.notices.join()).toContain("no energy of package-0");
  });
});

describe("time", () => {
  test("ticks stay on the grid of the start", async () => {
    const run = rig([{ energy: swinging }]);
    await measureFor(run, 5.5);
    expect(run.ticks().map(({ t }) => t)).toEqual([0, 1, 2, 3, 4, 5, 5.5]);
  });

  test("a stalled event loop loses ticks, no energy, and is not made up for by a burst", async () => {
    const run = rig([{ energy: (t) => 90 * t }]);
    await run.sampler.start();
    await run.host.elapse(2500);
    run.host.advance(10_000);
    await run.host.elapse(2400);
    const { t } = await run.sampler.stop();
    const card = assemble([...run.records, endRecord(t)]);
    expect(card.measures.energy?.gross.value).toBeCloseTo(90 * 14.9, 6);
    expect(run.ticks().map((tick) => tick.t)).toEqual([0, 1, 2, 12.5, 13, 14, 14.9]);
  });

  test("a stall is a hole for readings of power, and bridged", async () => {
    const run = rig([{ energy: (t) => 90 * t, kind: "power" }]);
    await run.sampler.start();
    await run.host.elapse(2500);
    run.host.advance(10_000);
    await run.host.elapse(2500);
    const { t } = await run.sampler.stop();
    const { measures, gaps } = assemble([...run.records, endRecord(t)]);
    expect(measures.energy?.gross.value).toBeCloseTo(90 * 15, 3);
    expect(gaps).toMatchObject([{ fromS: 2, toS: 12.5 }]);
  });

  test("a wall clock that jumps is told and changes no duration", async () => {
    const run = rig([{ energy: (t) => 90 * t }]);
    await run.sampler.start();
    await run.host.elapse(2500);
    run.host.jumpWall(-3_600_000);
    await run.host.elapse(2500);
    const { t } = await run.sampler.stop();
    expect(t).toBe(5);
    const card = assemble([...run.records, endRecord(t)]);
    expect(card.notices.join()).toMatch(/moved by -3600.0 s .* set back/);
    expect(card.measures.energy?.gross.value).toBeCloseTo(450, 6);
  });

  test("the usage of machine and subject counts from the start", async () => {
    const usage = async (host: FakeHost): Promise<Usage> => {
      const seconds = Number(host.monotonic()) / 1e9;
      return { busyS: 1000 + 3 * seconds, subjectS: 5 + 2 * seconds, rss: 1e9 };
    };
    const run = rig([{ energy: swinging }], { usage });
    await measureFor(run, 4);
    const last = run.ticks().at(-1);
    expect(last?.busyS).toBeCloseTo(12, 9);
    expect(last?.subjectS).toBeCloseTo(8, 9);
  });

  test("a usage that hangs is unknown at that tick", async () => {
    const run = rig([{ energy: swinging }], { usage: () => new Promise(() => {}) });
    const started = run.sampler.start();
    await run.host.elapse(1000);
    expect(await started).toMatchObject({ busyS: null, subjectS: null });
  });
});
