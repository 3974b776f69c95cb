// GPUs whose power cannot be read: rated power times utilisation. The last rung, marked `estimated`.
//
// P(u) = Pmin + (Pmax - Pmin) u with Pmin = 0.115 and Pmax = 1.02 times TDP: the ratios of idle and
// full-load power to TDP that the GPU rows of Cloud Carbon Footprint's AWS coefficients show, which
// go back to the measurements of Teads (B. Davy, "Building an AWS EC2 Carbon Emissions Dataset", 2021).

import { type Host, listIfPresent, readTextIfPresent, Z90 } from "../../core/index.ts";
import { listAmdGpus } from "./amd-gpu.ts";
import { listNvidiaDevices, readNumber, readNumberIfAny } from "./gpu-cards.ts";
import { type Read, readAt } from "./gpu-counter.ts";
import { type SelectableGpu, selectNvidiaGpus } from "./gpu-selection.ts";
import { findGpuRating, type GpuRating, loadGpuTable, unknownGpuRating } from "./gpu-table.ts";
import { isNvmlError, type Nvml, openNvml } from "./nvml-library.ts";
import type { Sensor, SensorProvider } from "./sensor.ts";

const IDLE_SHARE = 0.115;
const FULL_SHARE = 1.02;
/** Utilisation assumed when it cannot be read, with its 90 % interval. */
const UNKNOWN_UTILISATION = { value: 0.7, low: 0.3, high: 1 };
/** Relative standard deviation of the formula where TDP and utilisation are known. */
const FORMULA_ERROR = 0.3;
const WITHOUT_DRIVER = "an NVIDIA GPU without the NVIDIA driver; programs cannot compute on it";

/** Power of a GPU of a rating (watts) at a utilisation from 0 to 1, watts. */
export function gpuPower(tdp: number, utilisation: number): number {
  return tdp * (IDLE_SHARE + (FULL_SHARE - IDLE_SHARE) * utilisation);
}

export const gpuModel: SensorProvider = {
  name: "gpu-model",
  description:
    "NVIDIA and AMD GPUs without a power sensor: rated power times utilisation (estimate)",
  domains: ["gpu"],

  async probe(host) {
    const found = [await findNvidia(host), await findAmd(host)];
    const notes = found.flatMap((each) => each.notes);
    const gpus = found.flatMap((each) => each.gpus);
    if (gpus.length === 0) {
      return { status: "absent", reason: notes.join("; ") || "no NVIDIA or AMD GPU is visible" };
    }
    const table = await loadGpuTable(host);
    return { status: "ready", sensors: gpus.map((gpu) => sensorOf(host, gpu, table)), notes };
  },
};

interface ModelledGpu {
  readonly uuid: string;
  readonly name: string;
  /** Board limit that the driver tells, watts. */
  readonly limit: number | null;
  readonly utilisation: Read | null;
}

interface Found {
  readonly gpus: readonly ModelledGpu[];
  readonly notes: readonly string[];
}

/** Explicit factors of a sensor's 90 % interval around its estimate. */
interface Factors {
  readonly low: number;
  readonly high: number;
}

function sensorOf(host: Host, gpu: ModelledGpu, table: readonly GpuRating[]): Sensor {
  const rating = ratingOf(gpu, table);
  const { utilisation } = gpu;
  const load = utilisation === null ? "utilisation unknown, 0.7 assumed" : "utilisation read";
  return {
    id: `gpu-model:${gpu.uuid}`,
    provider: "gpu-model",
    domain: "gpu",
    device: gpu.uuid,
    scope: "component",
    kind: "power",
    method: "estimated",
    source: `${gpu.name}: ${rating.tdp} W (${rating.source}) x (0.115 + 0.905 u), ${load}`,
    error: combine([rating, ...(utilisation === null ? [unknownLoad()] : [])]),
    read: () =>
      readAt(host, async () =>
        gpuPower(rating.tdp, (await utilisation?.()) ?? UNKNOWN_UTILISATION.value),
      ),
  };
}

/** A rating with the factors of its own uncertainty, apart from that of the formula. */
function ratingOf(
  { name, limit }: ModelledGpu,
  table: readonly GpuRating[],
): Factors & { readonly tdp: number; readonly source: string } {
  const known = findGpuRating(table, name);
  if (known !== null) {
    return { tdp: known.tdp, source: `rating of ${known.name}`, low: 1, high: 1 };
  }
  if (limit !== null && limit > 0) {
    return { tdp: limit, source: "the board's power limit", low: 1, high: 1 };
  }
  const { tdp, low, high } = unknownGpuRating(table);
  const source = "not in the table of ratings, its median assumed";
  return { tdp, source, low: low / tdp, high: high / tdp };
}

function unknownLoad(): Factors {
  const { value, low, high } = UNKNOWN_UTILISATION;
  const power = (utilisation: number) => gpuPower(1, utilisation);
  return { low: power(low) / power(value), high: power(high) / power(value) };
}

/** Independent relative errors and that of the formula, in quadrature on the logarithmic scale. */
function combine(parts: readonly Factors[]): Factors {
  const formula = Z90 * FORMULA_ERROR;
  return {
    low: Math.exp(-Math.hypot(formula, ...parts.map(({ low }) => Math.log(low)))),
    high: Math.exp(Math.hypot(formula, ...parts.map(({ high }) => Math.log(high)))),
  };
}

/** From NVML, which lists GPUs whose power it does not tell; else from the driver's own folder. */
async function findNvidia(host: Host): Promise<Found> {
  const opening = await openNvml(host);
  const listed = opening.status === "open" ? nvmlGpus(opening.nvml) : [];
  const all = listed.length > 0 ? listed : await driverGpus(host);
  if (all.length === 0) {
    const idle = await listNvidiaDevices(host);
    return { gpus: [], notes: idle.map((address) => `${address}: ${WITHOUT_DRIVER}`) };
  }
  const { gpus, notes } = selectNvidiaGpus(all, host.env);
  return { gpus, notes };
}

function nvmlGpus(nvml: Nvml): readonly (ModelledGpu & SelectableGpu)[] {
  const gpus: (ModelledGpu & SelectableGpu)[] = [];
  for (let index = 0; index < nvml.count(); index++) {
    const handle = unlessRefused(() => nvml.handle(index));
    if (handle === null) continue;
    const busy = unlessRefused(() => nvml.utilisation(handle));
    gpus.push({
      index,
      uuid: nvml.uuid(handle),
      name: nvml.name(handle),
      limit: unlessRefused(() => nvml.powerLimit(handle)),
      utilisation: busy === null ? null : async () => nvml.utilisation(handle),
    });
  }
  return gpus;
}

function unlessRefused<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (isNvmlError(error)) return null;
    throw error;
  }
}

/** /proc/driver/nvidia/gpus/ADDRESS/information: `Model:` and `GPU UUID:` lines. */
async function driverGpus(host: Host): Promise<readonly (ModelledGpu & SelectableGpu)[]> {
  const folder = "/proc/driver/nvidia/gpus";
  const addresses = await listIfPresent(host, folder).catch(() => []);
  return Promise.all(
    addresses.map(async (address, index) => {
      const text = (await readTextIfPresent(host, `${folder}/${address}/information`)) ?? "";
      const line = (label: string) =>
        new RegExp(`^${label}:\\s*(.+)$`, "m").exec(text)?.[1]?.trim();
      return {
        index,
        uuid: line("GPU UUID") ?? address,
        name: line("Model") ?? "NVIDIA GPU",
        limit: null,
        utilisation: null,
      };
    }),
  );
}

async function findAmd(host: Host): Promise<Found> {
  if (host.platform !== "linux") return { gpus: [], notes: [] };
  const gpus = await listAmdGpus(host);
  return {
    notes: [],
    gpus: await Promise.all(
      gpus.map(async ({ uuid, name, hwmon, card }) => {
        const busy = () => readNumber(host, `${card.path}/gpu_busy_percent`, 0.01);
        const answers = await busy().then(
          () => true,
          () => false,
        );
        return {
          uuid,
          name,
          limit:
            hwmon === null ? null : await readNumberIfAny(host, `${hwmon}/power1_cap_max`, 1e-6),
          utilisation: answers ? busy : null,
        };
      }),
    ),
  };
}
