// AMD GPUs through the amdgpu driver: the energy accumulator of `gpu_metrics` (MI200, MI300) or of
// hwmon, trusted only after it agrees with the power sensor; else that power sensor.
// Files: kernel documentation, "GPU Power/Thermal Controls and Monitoring"; layout of gpu_metrics:
// drivers/gpu/drm/amd/include/kgd_pp_interface.h.

import { type Host, hostErrorCode, readTextIfPresent, reasonOf } from "../../core/index.ts";
import { type GpuCard, listGpuCards, readNumber, readNumberIfAny } from "./gpu-cards.ts";
import { distrustCounter, guardCounter, type Read, readAt } from "./gpu-counter.ts";
import { type SelectableGpu, selectAmdGpus } from "./gpu-selection.ts";
import type { Probe, Sensor, SensorProvider } from "./sensor.ts";

const MICRO = 1e-6;
/** The accumulator counts 2^-16 J (kgd_pp_interface.h: "15.259uJ (2^-16) units"). */
const ACCUMULATOR_UNIT = 2 ** -16;
/** How long a counter is compared with the power sensor, milliseconds. */
const CHECK_TIME = 500;
/** Relative standard deviations; our own choice, no study of these sensors is known to us. */
const COUNTER_ERROR = 0.05;
const POWER_ERROR = 0.1;

export const amdGpu: SensorProvider = {
  name: "amd-gpu",
  description: "AMD GPUs through the amdgpu driver (Linux): energy counter, else power",
  domains: ["gpu"],

  async probe(host) {
    if (host.platform !== "linux") return { status: "absent", reason: "amdgpu is Linux only" };
    const cards = await describeCards(host);
    if (cards.length === 0) return { status: "absent", reason: "no AMD GPU in /sys/class/drm" };
    const selection = selectAmdGpus(
      cards.filter(({ integrated }) => !integrated).map((card, index) => ({ ...card, index })),
      host.env,
    );
    const probes = await Promise.all(selection.gpus.map((gpu) => probeCard(host, gpu)));
    const notes = [
      ...cards.filter(({ integrated }) => integrated).map(integratedNote),
      ...selection.notes,
      ...probes.flatMap((probe) => probe.notes),
    ];
    const sensors = probes.flatMap(({ sensor }) => (sensor === null ? [] : [sensor]));
    return summary(
      sensors,
      notes,
      probes.some(({ denied }) => denied),
    );
  },
};

/** An AMD GPU of this host. */
export interface AmdGpu extends SelectableGpu {
  readonly card: GpuCard;
  readonly hwmon: string | null;
  /** On an APU, power includes the CPU, and the CPU's package counter includes the GPU. */
  readonly integrated: boolean;
}

/** AMD GPUs that a process with this host's environment may use and that are boards of their own. */
export async function listAmdGpus(host: Host): Promise<readonly AmdGpu[]> {
  const cards = (await describeCards(host)).filter(({ integrated }) => !integrated);
  return selectAmdGpus(
    cards.map((card, index) => ({ ...card, index })),
    host.env,
  ).gpus;
}

async function describeCards(host: Host): Promise<readonly AmdGpu[]> {
  const cards = await listGpuCards(host, "0x1002");
  return Promise.all(
    cards.map(async (card, index) => {
      const hwmon = card.hwmons.find(({ name }) => name === "amdgpu")?.path ?? null;
      const serial = (await readTextIfPresent(host, `${card.path}/unique_id`))?.trim();
      const product = (await readTextIfPresent(host, `${card.path}/product_name`))?.trim();
      const label = hwmon === null ? null : await readTextIfPresent(host, `${hwmon}/in1_label`);
      return {
        index,
        card,
        hwmon,
        // ROCm names a GPU by `GPU-` and its unique id; consumer boards have none.
        uuid: serial ? `GPU-${serial}` : card.pciAddress,
        name: product || `AMD GPU ${card.deviceId}`,
        // The northbridge voltage exists on APUs only (kernel documentation).
        integrated: label?.trim() === "vddnb",
      };
    }),
  );
}

const integratedNote = ({ name, uuid }: AmdGpu): string =>
  `${name} ${uuid}: integrated; its energy is counted with the CPU package`;

interface CardProbe {
  readonly sensor: Sensor | null;
  readonly notes: readonly string[];
  readonly denied: boolean;
}

async function probeCard(host: Host, gpu: AmdGpu): Promise<CardProbe> {
  const label = `${gpu.name} ${gpu.uuid}`;
  const power = await findPower(host, gpu);
  if ("fault" in power) {
    return { sensor: null, notes: [`${label}: ${power.fault}`], denied: power.denied };
  }
  const notes: string[] = [];
  for (const counter of await findCounters(host, gpu)) {
    const doubt = await distrustCounter(host, {
      energy: counter.read,
      power: power.read,
      milliseconds: CHECK_TIME,
    }).catch(reasonOf);
    if (doubt === null) return { sensor: await sensorOf(host, gpu, counter), notes, denied: false };
    notes.push(`${label}: ${counter.source} is not used: ${doubt}`);
  }
  return { sensor: await sensorOf(host, gpu, power), notes, denied: false };
}

interface Source {
  readonly kind: "counter" | "power";
  readonly source: string;
  readonly read: Read;
}

async function findPower(
  host: Host,
  { hwmon }: AmdGpu,
): Promise<Source | { readonly fault: string; readonly denied: boolean }> {
  if (hwmon === null) return { fault: "the driver offers no hwmon", denied: false };
  let fault = "no power sensor";
  for (const file of ["power1_average", "power1_input"]) {
    const read = () => readNumber(host, `${hwmon}/${file}`, MICRO);
    try {
      if ((await read()) > 0) return { kind: "power", source: `amdgpu ${file}`, read };
      // The second die of a two-die module (MI250X) reports nothing; the first reports both.
      fault = `${file} is zero: this die has no power sensor of its own`;
    } catch (error) {
      const code = hostErrorCode(error);
      if (code === "EACCES") return { fault: `${hwmon}/${file} is not readable`, denied: true };
      if (code !== "ENOENT") fault = reasonOf(error);
    }
  }
  return { fault, denied: false };
}

async function findCounters(host: Host, { card, hwmon }: AmdGpu): Promise<readonly Source[]> {
  const candidates: readonly Source[] = [
    {
      kind: "counter",
      source: "amdgpu energy1_input",
      read: () => readNumber(host, `${hwmon}/energy1_input`, MICRO),
    },
    {
      kind: "counter",
      source: "amdgpu gpu_metrics energy accumulator",
      read: () => readAccumulator(host, `${card.path}/gpu_metrics`),
    },
  ];
  const readable = await Promise.all(
    candidates.map(({ read }) =>
      read().then(
        () => true,
        () => false,
      ),
    ),
  );
  return candidates.filter((_, index) => readable[index]);
}

/** Where the accumulator stands in revisions 1.1 to 1.5 of the table, bytes. */
const ACCUMULATOR_OFFSET: Readonly<Record<number, number>> = { 1: 24, 2: 24, 3: 24, 4: 24, 5: 88 };

async function readAccumulator(host: Host, path: string): Promise<number> {
  const file = await host.openFile(path);
  try {
    // metrics_table_header: uint16 size, uint8 format revision, uint8 content revision.
    const header = await file.read(0, 4);
    const [, , format, content] = header;
    const offset = format === 1 ? ACCUMULATOR_OFFSET[content ?? 0] : undefined;
    if (offset === undefined) throw new Error(`${path}: revision ${format}.${content} is unknown`);
    const bytes = await file.read(offset, 8);
    const raw = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
    return Number(raw) * ACCUMULATOR_UNIT;
  } finally {
    await file.close();
  }
}

async function sensorOf(host: Host, gpu: AmdGpu, source: Source): Promise<Sensor> {
  const limit = await readNumberIfAny(host, `${gpu.hwmon}/power1_cap_max`, MICRO);
  const read = () => readAt(host, source.read);
  return {
    id: `amd-gpu:${gpu.uuid}`,
    provider: "amd-gpu",
    domain: "gpu",
    device: gpu.uuid,
    scope: "component",
    kind: source.kind,
    method: source.kind === "counter" ? "measured" : "sampled",
    source: `${source.source}, ${gpu.name}`,
    error: source.kind === "counter" ? COUNTER_ERROR : POWER_ERROR,
    ...(limit === null || limit <= 0 ? {} : { maxPower: limit }),
    read: source.kind === "counter" ? guardCounter(read) : read,
  };
}

function summary(sensors: readonly Sensor[], notes: readonly string[], denied: boolean): Probe {
  if (sensors.length > 0) return { status: "ready", sensors, notes };
  const reason = notes.join("; ") || "no AMD GPU is visible to this process";
  if (!denied) return { status: "absent", reason };
  return { status: "denied", reason, remedy: "make the hwmon files readable, or run as root" };
}
