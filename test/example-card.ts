// A small, valid card for tests; parts of it can be replaced.

import type { Card } from "../src/core/card.ts";
import { exact, withError } from "../src/core/index.ts";

export function exampleCard(changes: Partial<Card> = {}): Card {
  const clock = { method: "measured", source: "monotonic clock" } as const;
  const model = { method: "estimated", source: "load model", fallbacks: ["rapl: absent"] } as const;
  return {
    schema: "godwit.card/1",
    id: "example",
    subject: { kind: "command", name: "train", command: ["python", "train.py"], tags: {} },
    status: "complete",
    startedAt: "2026-01-01T00:00:00.000Z",
    endedAt: "2026-01-01T00:01:00.000Z",
    exit: { code: 0, signal: null },
    measures: {
      duration: exact("s", 60, clock),
      cpuTime: exact("s", 90, clock),
      power: { mean: withError("W", 100, 0.2, model), peak: withError("W", 140, 0.2, model) },
      energy: {
        gross: withError("J", 6000, 0.2, model),
        net: withError("J", 3000, 0.3, model),
        attributed: withError("J", 4500, 0.3, model),
      },
      emissions: withError("gCO2e", 0.475, 0.4, model),
    },
    boundary: { headline: "attributed", scope: "wall", idlePolicy: "reserved share 1" },
    conservation: { measuredJ: 6000, attributedJ: 4500, unattributedJ: 1500, relativeError: 0 },
    signal: {
      intensity: withError("gCO2e/kWh", 380, 0.3, { method: "declared", source: "table, 2024" }),
      kind: "average",
      basis: "location",
      scope: "life-cycle",
      zone: "DE",
      year: 2024,
      rung: "Germany, --location",
    },
    components: [
      {
        domain: "cpu",
        device: "node",
        provider: "model",
        energy: withError("J", 6000, 0.2, model),
        meanPower: withError("W", 100, 0.2, model),
      },
    ],
    spans: [{ name: "epoch 1", startS: 0, endS: 30 }],
    gaps: [{ sensor: "model", fromS: 10, toS: 11, reason: "read timed out" }],
    series: [{ domain: "cpu", device: "node", timesS: [0, 30, 60], watts: [90, 140, 70] }],
    steps: [],
    notices: ["no sensor on this machine: energy is estimated"],
    machine: {
      id: "abc123",
      platform: "linux",
      arch: "x64",
      release: "6.8.0",
      cpu: { name: "Example CPU", threads: 8 },
      memoryBytes: 16 * 2 ** 30,
      virtualization: null,
      gpus: [],
    },
    godwit: { version: "0.1.0" },
    ...changes,
  };
}
