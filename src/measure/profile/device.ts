// A model on a device that it does not run on: time and energy from the roofline of its datasheet, with
// the share of the roofline that real runs reach as the interval.

import {
  type Figure,
  figure,
  type Host,
  parseCsvTable,
  product,
  suggest,
  UserError,
} from "../../core/index.ts";
import type { Size } from "../../onnx/index.ts";
import type { ModelCount } from "./count-model.ts";
import type { Entry } from "./entry.ts";
import { type Binding, type Roofline, rooflineTime } from "./roofline.ts";

export interface Device {
  readonly name: string;
  readonly kind: "cpu" | "gpu";
  /** FLOP/s in 32 and in 16 bits. */
  readonly peak: { readonly single: number; readonly half: number };
  /** Bytes a second. */
  readonly bandwidth: number;
  /** Board or package power, watts. */
  readonly watts: number;
  readonly source: string;
}

/** The shipped catalogue (data/devices). */
export async function loadDevices(host: Host): Promise<readonly Device[]> {
  const rows = parseCsvTable(await host.readData("devices/devices.csv"));
  return rows.map((row) => ({
    name: row["name"] ?? "",
    kind: row["kind"] === "cpu" ? "cpu" : "gpu",
    peak: { single: Number(row["fp32_tflops"]) * 1e12, half: Number(row["half_tflops"]) * 1e12 },
    bandwidth: Number(row["bandwidth_gb_s"]) * 1e9,
    watts: Number(row["tdp_w"]),
    source: row["source"] ?? "",
  }));
}

/** The device of a name or of words of it; of several the one with most power (`h100` is the SXM board). */
export function findDevice(devices: readonly Device[], name: string): Device {
  const wanted = wordsOf(name);
  const found = devices.filter((one) => wanted.every((word) => wordsOf(one.name).includes(word)));
  const [first] = found.toSorted((a, b) => b.watts - a.watts || b.bandwidth - a.bandwidth);
  if (first !== undefined && wanted.length > 0) return first;
  const names = devices.map((one) => one.name);
  const near = suggest(name, names);
  throw new UserError("invalid-input", `no device is called ${name}`, {
    hint: near === null ? `There is: ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}

const wordsOf = (name: string): readonly string[] =>
  name
    .toLowerCase()
    .split(/[^a-z0-9+]+/)
    .filter((word) => word !== "");

/**
 * Share of the roofline that a whole model reaches. Assumed, not fitted: large training runs reach 0.2 to
 * 0.55 of peak (Chowdhery et al. 2022, table 3), single large products 0.9, small batches a tenth.
 */
const REACHED: Figure<"1"> = figure(
  "1",
  0.35,
  { low: 0.1, high: 0.9 },
  {
    method: "estimated",
    source:
      "share of the roofline: 0.35, assumed between small batches (0.1) and large products (0.9)",
  },
);

/** Power of a busy device over its rating: GPUs under memory-bound work draw half of it. Assumed. */
const DRAWN: Figure<"1"> = figure(
  "1",
  0.75,
  { low: 0.45, high: 1 },
  {
    method: "estimated",
    source:
      "busy power over rated power: 0.75, assumed between memory-bound work (0.45) and the rating",
  },
);

export interface DeviceCost {
  readonly device: Device;
  readonly precision: "single" | "half";
  /** The roofline's own bound, seconds: no run is faster. */
  readonly bound: number;
  readonly time: Figure<"s">;
  /** Of the device alone: no host, no supply, no cooling. */
  readonly energy: Figure<"J">;
  /** Which side most of the time hangs on. */
  readonly binding: Binding;
  /** Share of the bound that hangs on it, 0 to 1. */
  readonly bindingShare: number;
}

/** Time and energy of one run. Throws UserError while sizes are open. */
export function deviceCost(model: ModelCount, device: Device): DeviceCost {
  const precision = precisionOf(model);
  const roofline: Roofline = { peakFlops: device.peak[precision], bandwidth: device.bandwidth };
  const sides = boundOf(model.entries, roofline);
  const bound = sides.compute + sides.memory;
  if (!(bound > 0)) {
    throw new UserError("invalid-input", "nothing is counted that takes time", {
      hint: "See `godwit profile` without --device for what is not counted.",
    });
  }
  const source = `roofline of ${device.name}: ${device.source}`;
  const time = figure(
    "s",
    bound / REACHED.value,
    { low: bound / REACHED.high, high: bound / REACHED.low },
    { method: "estimated", source: `${source}; ${REACHED.source}` },
  );
  const rated = figure(
    "W",
    device.watts,
    { low: device.watts, high: device.watts },
    { method: "declared", source: device.source },
  );
  const energy = product("J", [time, rated, DRAWN], { source: `${source}; ${DRAWN.source}` });
  const binding = sides.compute >= sides.memory ? "compute" : "memory";
  return { device, precision, bound, time, energy, binding, bindingShare: sides[binding] / bound };
}

/** Half precision for models whose weights mostly are; integers run at least as fast. */
function precisionOf({ bytesByType }: ModelCount): DeviceCost["precision"] {
  const wide = (bytesByType["float32"] ?? 0) + (bytesByType["float64"] ?? 0);
  const all = Object.values(bytesByType).reduce((sum, bytes) => sum + bytes, 0);
  const indices = (bytesByType["int64"] ?? 0) + (bytesByType["int32"] ?? 0);
  return all > indices && wide < (all - indices) / 2 ? "half" : "single";
}

interface Sides {
  readonly compute: number;
  readonly memory: number;
}

/** Seconds at the roofline, node after node, by the side that binds each. */
function boundOf(entries: readonly Entry[], roofline: Roofline): Sides {
  let compute = 0;
  let memory = 0;
  const add = (sides: Sides, times = 1): void => {
    compute += sides.compute * times;
    memory += sides.memory * times;
  };
  for (const entry of entries) {
    if (entry.kind === "loop")
      add(boundOf(entry.body, roofline), numberOr(entry.trips, "iterations"));
    else if (entry.kind === "branch") add(costlier(entry, roofline));
    else {
      const { flops, reads, writes, name } = entry.cost;
      const bytes = numberOr(reads ?? 0, name) + numberOr(writes ?? 0, name);
      const { seconds, binding } = rooflineTime(
        { flops: numberOr(flops ?? 0, name), bytes },
        roofline,
      );
      add(
        binding === "compute" ? { compute: seconds, memory: 0 } : { compute: 0, memory: seconds },
      );
    }
  }
  return { compute, memory };
}

function costlier(entry: Extract<Entry, { kind: "branch" }>, roofline: Roofline): Sides {
  if (entry.taken !== null) return boundOf(entry.branches[entry.taken], roofline);
  const [one, other] = entry.branches.map((branch) => boundOf(branch, roofline));
  const total = (sides: Sides | undefined): number => (sides?.compute ?? 0) + (sides?.memory ?? 0);
  return (total(one) >= total(other) ? one : other) ?? { compute: 0, memory: 0 };
}

function numberOr(size: Size, name: string): number {
  if (typeof size === "number") return size;
  throw new UserError("usage", `the cost of "${name}" hangs on sizes that are not chosen`, {
    hint: "Choose them with --batch, --size NAME=N or --input NAME=1x3x224x224.",
  });
}
