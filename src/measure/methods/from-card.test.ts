import { describe, expect, test } from "vitest";
import { exampleCard } from "../../../test/example-card.ts";
import { createFakeHost } from "../../../test/fake-host.ts";
import { exact, withError } from "../../core/index.ts";
import { resultOfCard, workloadOfCard } from "./from-card.ts";

const host = createFakeHost();
const rapl = { method: "measured", source: "RAPL" } as const;

const measured = exampleCard({
  components: [
    {
      domain: "cpu",
      device: "package-0",
      provider: "rapl-powercap",
      energy: withError("J", 4000, 0.03, rapl),
      attributed: withError("J", 3000, 0.03, rapl),
    },
    {
      domain: "memory",
      device: "dram-0",
      provider: "rapl-powercap",
      energy: withError("J", 500, 0.1, rapl),
    },
    {
      domain: "gpu",
      device: "GPU-1",
      provider: "nvml",
      energy: withError("J", 1000, 0.05, rapl),
    },
  ],
});

describe("a run as a workload", () => {
  test("has the run's length, load, place and measured energies", async () => {
    const workload = await workloadOfCard(host, measured);
    expect(workload).toMatchObject({
      hours: 60 / 3600,
      cpu: { threads: 8, usage: 90 / 480 },
      place: { zone: "DE", intensity: 380, declared: false },
      counters: { package: 4000, dram: 500, gpu: 1000 },
    });
  });
  test("a modelled energy is no counter", async () => {
    const { counters } = await workloadOfCard(host, exampleCard());
    expect(counters).toEqual({ package: null, dram: null, gpu: null });
  });
  test("a run without length is refused", async () => {
    const { measures } = measured;
    const empty = exampleCard({ measures: { ...measures, duration: exact("s", 0, rapl) } });
    await expect(workloadOfCard(host, empty)).rejects.toThrow(/has no length/);
  });
});

describe("a run as a result", () => {
  test("tells its attributed energy by domain, and the rest of the machine as supply", () => {
    const result = resultOfCard(measured);
    expect(result.energy).toMatchObject({ value: 4500 });
    expect(result.emissions).toMatchObject({ value: 0.475 });
    const inside = result.terms.map(({ name }) => name);
    expect(inside).toEqual(["cpu", "memory", "gpu"]);
  });
  test("a run without energy is refused", () => {
    const { energy: _, ...measures } = measured.measures;
    expect(() => resultOfCard(exampleCard({ measures }))).toThrow(/no energy/);
  });
});
