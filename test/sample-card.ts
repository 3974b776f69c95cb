// Made-up cards for tests of reports: a rich one, a poor one, and one whose every text is hostile.

import { type Card, parseCard } from "../src/core/card.ts";
import { exact, figure, type Method, product, withError } from "../src/core/index.ts";

const known = (method: Method, source: string, ...fallbacks: string[]) => ({
  method,
  source,
  fallbacks,
});

const card = (value: object): Card => parseCard(JSON.parse(JSON.stringify(value)));

/** A sawtooth that looks like training steps; null from 14 s to 17 s on the GPU. */
function series(
  domain: string,
  device: string,
  base: number,
  swing: number,
): Card["series"][number] {
  const timesS = Array.from({ length: 83 }, (_, index) => index * 0.5);
  const watts = timesS.map((t) =>
    domain === "gpu" && t >= 14 && t <= 17
      ? null
      : Number((base + (t < 3 ? 0 : swing * (1 - ((t * 1.3) % 5) / 12))).toFixed(1)),
  );
  return { domain, device, timesS, watts };
}

/** A GPU training run with every part of a card. Its numbers are invented but add up. */
export function richCard(changes: Partial<Card> = {}): Card {
  const gpu = withError("J", 9790, 0.05, known("measured", "NVML total energy counter"));
  const cpu = withError(
    "J",
    2310,
    0.03,
    known("measured", "perf energy-pkg", "psys: not on this machine"),
  );
  const memory = figure(
    "J",
    300,
    { low: 68, high: 614 },
    known("estimated", "0.22 W per GB (SPECpower fit)", "rapl dram: no such zone"),
  );
  const gross = figure(
    "J",
    12_400,
    { low: 11_600, high: 13_300 },
    known("estimated", "sum of the components"),
  );
  const attributed = figure(
    "J",
    11_160,
    { low: 10_400, high: 12_100 },
    known("estimated", "net + share of idle (25 %)"),
  );
  const net = figure(
    "J",
    8130,
    { low: 7400, high: 8990 },
    known("estimated", "share of active energy"),
  );
  const intensity = withError("gCO2e/kWh", 44.2, 0.3, known("declared", "Ember 2025, FR 2024"));
  const emissions = product("gCO2e", [attributed, intensity], {
    source: "energy x intensity",
    scale: 1 / 3.6e6,
  });
  const duration = exact("s", 41.2, known("measured", "monotonic clock"));
  return card({
    schema: "godwit.card/1",
    id: "01K9ZQ3T7M8W2XN5",
    subject: {
      kind: "training",
      name: "python train.py --epochs 3",
      command: ["python", "train.py", "--epochs", "3", "--name", "café & co"],
      tags: { project: "digits", dataset: "v2" },
    },
    status: "complete",
    startedAt: "2026-11-23T02:30:11.000Z",
    endedAt: "2026-11-23T02:30:52.200Z",
    exit: { code: 0, signal: null },
    measures: {
      duration,
      modelSize: exact("B", 10_857_958, known("measured", "size of model.onnx")),
      parameters: exact("parameters", 2_700_000, known("measured", "counted in the graph")),
      operations: { macs: exact("MAC", 3.1e12, known("estimated", "counted per layer")) },
      power: {
        mean: product(
          "W",
          [gross, { ...duration, unit: "1", value: 1 / 41.2, low: 1 / 41.2, high: 1 / 41.2 }],
          { source: "energy / time" },
        ),
        peak: withError("W", 349, 0.05, known("sampled", "highest sample")),
      },
      energy: { gross, net, attributed },
      emissions,
      water: withError("L", 0.0059, 0.5, known("estimated", "1.9 L/kWh")),
      cpuTime: exact("s", 80.1, known("measured", "cgroup v2 cpu.stat")),
    },
    quality: {
      metric: "accuracy",
      value: 0.941,
      low: 0.93,
      high: 0.951,
      split: "test",
      samples: 2000,
      baseline: { name: "most frequent class", value: 0.12 },
    },
    boundary: {
      headline: "attributed",
      scope: "component",
      pue: exact("1", 1, known("declared", "a personal machine has no data centre around it")),
      idlePolicy: "reserved share: 2 of 8 threads",
    },
    conservation: {
      measuredJ: 12_400,
      attributedJ: 11_160,
      unattributedJ: 1240,
      relativeError: 0,
    },
    signal: {
      intensity,
      kind: "average",
      basis: "location",
      scope: "life-cycle",
      zone: "FR",
      year: 2024,
      rung: "from the time zone Europe/Paris",
    },
    components: [
      {
        domain: "gpu",
        device: "RTX 4090",
        provider: "nvml",
        energy: gpu,
        attributed: withError("J", 9790, 0.05, known("measured", "whole device")),
        meanPower: withError("W", 237.6, 0.05, known("measured", "energy / time")),
        peakPower: withError("W", 281, 0.05, known("sampled", "highest sample")),
        utilisation: exact("1", 0.87, known("sampled", "NVML")),
      },
      {
        domain: "cpu",
        device: "package-0",
        provider: "rapl-perf",
        energy: cpu,
        attributed: withError("J", 1230, 0.1, known("estimated", "CPU time share")),
        meanPower: withError("W", 56.1, 0.03, known("measured", "energy / time")),
      },
      {
        domain: "memory",
        device: "memory",
        provider: "estimate",
        energy: memory,
        attributed: withError("J", 140, 0.5, known("estimated", "memory share")),
        meanPower: withError("W", 7.28, 0.5, known("estimated", "0.22 W per GB")),
      },
    ],
    spans: [
      {
        name: "load data",
        startS: 0,
        endS: 3,
        energy: withError("J", 420, 0.1, known("measured", "NVML + perf")),
      },
      {
        name: "train",
        startS: 3,
        endS: 36,
        energy: withError("J", 10_900, 0.05, known("measured", "NVML + perf")),
      },
      { name: "epoch 1", startS: 3, endS: 14, parent: 1 },
      { name: "epoch 2", startS: 14, endS: 25, parent: 1 },
      { name: "epoch 3", startS: 25, endS: 36, parent: 1 },
      {
        name: "evaluate",
        startS: 36,
        endS: 41.2,
        energy: withError("J", 1080, 0.1, known("measured", "NVML + perf")),
      },
    ],
    gaps: [
      { sensor: "nvml", fromS: 13.5, toS: 17.5, reason: "the driver did not answer within 500 ms" },
    ],
    series: [
      series("gpu", "RTX 4090", 110, 180),
      series("cpu", "package-0", 30, 32),
      series("memory", "memory", 7.28, 0),
    ],
    steps: [
      {
        name: "sum of the components",
        formula: "E = E_gpu + E_cpu + E_memory",
        inputs: { E_gpu: gpu, E_cpu: cpu, E_memory: memory },
        result: gross,
        source: "docs/methods/uncertainty.md",
      },
      {
        name: "emissions",
        formula: "C = E / 3.6e6 x I",
        inputs: { E: attributed, I: intensity },
        result: emissions,
        source: "SCI (ISO/IEC 21031:2024), operational part",
      },
    ],
    notices: ["The carbon intensity is a yearly mean; the hour's may differ by 30 %."],
    machine: {
      id: "m-5f2c9a7be014",
      platform: "linux",
      arch: "x64",
      release: "6.8.0-45-generic",
      cpu: {
        name: "13th Gen Intel(R) Core(TM) i9-13900K",
        vendor: "GenuineIntel",
        sockets: 1,
        cores: 24,
        threads: 32,
      },
      memoryBytes: 34_359_738_368,
      virtualization: null,
      gpus: [{ name: "NVIDIA GeForce RTX 4090", uuid: "GPU-1" }],
    },
    overhead: { cpuS: 0.061, wallS: 0.21, rssBytes: 54_000_000 },
    godwit: { version: "0.1.0" },
    ...changes,
  });
}

/** A run of which nothing but the time is known. */
export function poorCard(changes: Partial<Card> = {}): Card {
  const { id, startedAt, endedAt, machine, godwit, boundary } = richCard();
  return card({
    schema: "godwit.card/1",
    id,
    subject: { kind: "command", name: "true", tags: {} },
    status: "interrupted",
    startedAt,
    endedAt,
    measures: { duration: exact("s", 0.0021, known("measured", "monotonic clock")) },
    boundary: { headline: "gross", scope: "component", idlePolicy: boundary.idlePolicy },
    components: [],
    spans: [],
    gaps: [],
    series: [],
    steps: [],
    notices: [],
    machine,
    godwit,
    ...changes,
  });
}

/** The rich card with one text in the place of every text that a user or a machine chose. */
export function hostileCard(text: string): Card {
  const base = richCard();
  const origin = known("estimated", text, text);
  return card({
    ...base,
    id: text,
    subject: { kind: "command", name: text, command: [text, text], tags: { [text]: text } },
    status: "failed",
    exit: { code: null, signal: text },
    quality: { metric: text, value: 1, split: text, baseline: { name: text, value: 0 } },
    boundary: { ...base.boundary, idlePolicy: text },
    signal: { ...base.signal, zone: text, rung: text },
    components: base.components.map((component) => ({
      ...component,
      device: text,
      provider: text,
      energy: figure("J", component.energy.value, component.energy, origin),
    })),
    spans: base.spans.map((span) => ({ ...span, name: text })),
    gaps: [{ sensor: text, fromS: 1, toS: 2, reason: text }],
    series: base.series.map((entry) => ({ ...entry, device: text })),
    steps: base.steps.map((step) => ({
      ...step,
      name: text,
      formula: text,
      source: text,
      inputs: { [text]: step.result },
    })),
    notices: [text],
    machine: {
      ...base.machine,
      id: text,
      release: text,
      virtualization: text,
      cpu: { ...base.machine.cpu, name: text },
      gpus: [{ name: text }],
    },
    godwit: { version: text },
  });
}
