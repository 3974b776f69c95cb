import { expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { toKilowattHours } from "../../core/index.ts";
import { greenAlgorithms } from "./green-algorithms.ts";
import type { Answer } from "./method.ts";
import { loadPeerTables } from "./tables.ts";
import { workloadOf } from "./workload.ts";

const tables = await loadPeerTables(createFakeHost());
const kilowattHours = (answer: Answer<"J">): number =>
  answer.status === "answered" ? toKilowattHours(answer.value) : Number.NaN;
const world = { zone: "WORLD", intensity: 473, declared: false, source: "Ember" };

// By hand from the formula and constants of v3.0: 12 h, one GPU of 300 W (Tesla V100), 64 GB, PUE 1.56,
// world: 12 x (300 + 0.3725 x 64) x 1.56 / 1000 = 6.0623 kWh, x 475 = 2.8796 kg.
test("half a day on a V100 with 64 GB costs 6.0623 kWh and 2.8796 kg", () => {
  const result = greenAlgorithms.estimate(
    workloadOf({
      hours: 12,
      machine: "server",
      gpus: [{ name: "Tesla V100", tdp: 300, count: 1, usage: 1 }],
      memoryGB: 64,
      place: world,
    }),
    tables,
  );
  expect(kilowattHours(result.energy)).toBeCloseTo(6.0623, 4);
  expect(result.emissions).toMatchObject({ status: "answered", value: expect.closeTo(2879.6, 1) });
  expect(result.intensity).toMatchObject({ value: 475 });
});

// Table of cores, v3.0: AMD EPYC 7763 at 4.4 W a core; France 51.28 g/kWh; PUE of Google Cloud 1.12
// where its table states none for the region, 1.11 for us-west1 in Oregon.
test("its own tables answer for cores, places and providers", () => {
  const result = greenAlgorithms.estimate(
    workloadOf({
      hours: 10,
      machine: "server",
      cpu: { name: "AMD EPYC 7763 64-Core Processor", tdp: 280, cores: 16, usage: 0.5 },
      memoryGB: 32,
      place: { ...world, zone: "FR" },
      cloud: { provider: "gcp", region: "europe-west9" },
    }),
    tables,
  );
  const oregon = greenAlgorithms.estimate(
    workloadOf({
      hours: 1,
      memoryGB: 1,
      cloud: { provider: "gcp", region: "us-west1" },
      place: world,
    }),
    tables,
  );
  expect(oregon.factors[0]?.value).toBe(1.11);
  expect(oregon.intensity).toMatchObject({
    value: tables.greenAlgorithms.intensities.get("US-OR"),
  });
  const energy = (10 * (16 * 4.4 * 0.5 + 32 * 0.3725) * 1.12) / 1000;
  expect(kilowattHours(result.energy)).toBeCloseTo(energy, 10);
  expect(result.intensity).toMatchObject({ value: 51.28 });
});

test("an unlisted CPU has 12 W a core, an unlisted GPU 200 W, and both are named", () => {
  const { terms } = greenAlgorithms.estimate(
    workloadOf({
      hours: 1,
      cpu: { name: "Made-up CPU", cores: 4 },
      gpus: [{ name: "Made-up GPU", tdp: null, count: 2, usage: 1 }],
      memoryGB: 1,
    }),
    tables,
  );
  expect(terms.map(({ energy }) => kilowattHours(energy) * 1000)).toEqual([48, 400, 0.3725]);
  expect(terms[0]?.energy).toMatchObject({ constants: ["unknownCore"] });
  expect(terms[1]?.energy).toMatchObject({ constants: ["unknownGpu"] });
});

test("a computer at home has a PUE of 1, a data centre 1.56, unless one is given", () => {
  const pueOf = (machine: "laptop" | "server", pue: number | null = null) =>
    greenAlgorithms.estimate(workloadOf({ hours: 1, machine, memoryGB: 1, pue }), tables).factors[0]
      ?.value;
  expect([pueOf("laptop"), pueOf("server"), pueOf("server", 1.1)]).toEqual([1, 1.56, 1.1]);
});

test("what is not known is said, not counted as nothing", () => {
  const result = greenAlgorithms.estimate(
    workloadOf({ hours: 1, cpu: { name: "Made-up CPU" } }),
    tables,
  );
  expect(result.missing).toEqual(["cpu", "memory"]);
  expect(result.energy).toMatchObject({ status: "unsupported" });
  expect(result.emissions).toMatchObject({ status: "unsupported" });
});

test("a place that its table lacks has no emissions rather than the world's", () => {
  const place = { ...world, zone: "XK" };
  const { intensity } = greenAlgorithms.estimate(
    workloadOf({ hours: 1, memoryGB: 1, place }),
    tables,
  );
  expect(intensity).toEqual({ status: "unsupported", reason: "its table of places has no XK" });
});
