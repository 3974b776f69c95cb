// Which of a machine's GPUs a process may use, from the variables that its runtime obeys.
//
// NVML, nvidia-smi and sysfs list every GPU and obey none of these variables; counting a neighbour's
// board is the commonest error of GPU meters. Rules: CUDA C++ Programming Guide, "CUDA Environment
// Variables"; ROCm documentation, "GPU isolation techniques"; Slurm `gres.conf`, `srun`.

/** What a selection needs to know of a GPU. Lists are in PCI order, as NVML and sysfs give them. */
export interface SelectableGpu {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  /** UUIDs of the MIG devices that this board is cut into. */
  readonly migUuids?: readonly string[];
}

export interface GpuSelection<G> {
  /** In the order of the list given, not of the variable: energy has no order. */
  readonly gpus: readonly G[];
  /** What was left out, and every reading of a variable that a user might doubt. */
  readonly notes: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** NVIDIA GPUs that a CUDA process started with this environment sees. */
export function selectNvidiaGpus<G extends SelectableGpu>(
  all: readonly G[],
  env: Environment,
): GpuSelection<G> {
  const container = selectContainerGpus(all, env["NVIDIA_VISIBLE_DEVICES"]);
  const cuda = env["CUDA_VISIBLE_DEVICES"];
  if (cuda !== undefined) {
    const chosen = selectByList(container.gpus, cuda, "CUDA_VISIBLE_DEVICES");
    const order = orderNote(container.gpus, chosen.gpus, cuda, env["CUDA_DEVICE_ORDER"]);
    return { gpus: chosen.gpus, notes: [...container.notes, ...chosen.notes, ...order] };
  }
  const [variable, slurm] =
    env["SLURM_STEP_GPUS"] === undefined
      ? ["SLURM_JOB_GPUS", env["SLURM_JOB_GPUS"]]
      : ["SLURM_STEP_GPUS", env["SLURM_STEP_GPUS"]];
  if (slurm === undefined) return container;
  const chosen = selectSlurmGpus(container.gpus, slurm, variable);
  return { gpus: chosen.gpus, notes: [...container.notes, ...chosen.notes] };
}

/**
 * AMD GPUs that a HIP process started with this environment sees. ROCR_VISIBLE_DEVICES filters first;
 * the indices of HIP_VISIBLE_DEVICES (or CUDA_VISIBLE_DEVICES, which HIP reads for portability)
 * count among what is left.
 */
export function selectAmdGpus<G extends SelectableGpu>(
  all: readonly G[],
  env: Environment,
): GpuSelection<G> {
  const rocr = env["ROCR_VISIBLE_DEVICES"];
  const first: GpuSelection<G> =
    rocr === undefined ? { gpus: all, notes: [] } : selectByList(all, rocr, "ROCR_VISIBLE_DEVICES");
  const variable =
    env["HIP_VISIBLE_DEVICES"] === undefined ? "CUDA_VISIBLE_DEVICES" : "HIP_VISIBLE_DEVICES";
  const list = env[variable];
  if (list === undefined) return first;
  const left = rocr === undefined ? all : inOrderOf(first.gpus, rocr);
  const renumbered = left.map((gpu, index) => ({ gpu, ...gpu, index }));
  const second = selectByList(renumbered, list, variable);
  return { gpus: second.gpus.map(({ gpu }) => gpu), notes: [...first.notes, ...second.notes] };
}

/**
 * The container runtime has already applied NVIDIA_VISIBLE_DEVICES, so its indices are those of the
 * host and must not be applied again; UUIDs mean the same on both sides.
 */
function selectContainerGpus<G extends SelectableGpu>(
  all: readonly G[],
  list: string | undefined,
): GpuSelection<G> {
  const entries = (list ?? "").split(",").map((entry) => entry.trim());
  if (list === undefined || !entries.every((entry) => /^(GPU|MIG)-/.test(entry))) {
    return { gpus: all, notes: [] };
  }
  const gpus = all.filter((gpu) => entries.some((entry) => matches(gpu, entry, all)));
  // Outside a container the variable may be a leftover that names boards of another machine.
  if (gpus.length === 0) return { gpus: all, notes: [] };
  return { gpus, notes: hiddenNote(all, gpus, "NVIDIA_VISIBLE_DEVICES") };
}

/**
 * Slurm's numbers are those of the node. With device constraints a process sees only its own GPUs,
 * counted from zero, so the numbers apply only where every one of them is visible.
 */
function selectSlurmGpus<G extends SelectableGpu>(
  all: readonly G[],
  list: string,
  variable: string,
): GpuSelection<G> {
  const numbers = expandRanges(list);
  const gpus = all.filter((gpu) => numbers.has(gpu.index));
  if (gpus.length < numbers.size) return { gpus: all, notes: [] };
  return { gpus, notes: hiddenNote(all, gpus, variable) };
}

/** `0,2-3` as numbers; anything else is not a number and is left out. */
function expandRanges(list: string): Set<number> {
  const numbers = new Set<number>();
  for (const part of list.split(",")) {
    const range = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    if (range === null) continue;
    const last = Math.min(Number(range[2] ?? range[1]), Number(range[1]) + 1024);
    for (let number = Number(range[1]); number <= last; number++) numbers.add(number);
  }
  return numbers;
}

/** Entries up to the first one that names no GPU, as CUDA reads its list; `-1` is such an entry. */
function selectByList<G extends SelectableGpu>(
  all: readonly G[],
  list: string,
  variable: string,
): GpuSelection<G> {
  const chosen = new Set<G>();
  const notes: string[] = [];
  for (const entry of list.split(",").map((part) => part.trim())) {
    const named = all.filter((gpu) => matches(gpu, entry, all));
    if (named.length === 0) {
      if (entry !== "-1" && list.trim() !== "") {
        notes.push(`${variable}: "${entry}" names no GPU; it and what follows it are ignored`);
      }
      break;
    }
    for (const gpu of named) chosen.add(gpu);
  }
  const gpus = all.filter((gpu) => chosen.has(gpu));
  return { gpus, notes: [...notes, ...hiddenNote(all, gpus, variable)] };
}

/** An index, a UUID, a UUID's unique beginning, or a MIG device of the board. */
function matches(gpu: SelectableGpu, entry: string, all: readonly SelectableGpu[]): boolean {
  if (/^\d+$/.test(entry)) return gpu.index === Number(entry);
  const legacy = /^MIG-(GPU-[^/]+)(?:\/\d+){0,2}$/i.exec(entry);
  if (legacy?.[1] !== undefined) return startsUniquely(gpu, legacy[1], all);
  if (/^MIG-/i.test(entry)) {
    return gpu.migUuids?.some((uuid) => uuid.toLowerCase() === entry.toLowerCase()) ?? false;
  }
  return /^GPU-[0-9a-f]/i.test(entry) && startsUniquely(gpu, entry, all);
}

function startsUniquely(
  gpu: SelectableGpu,
  beginning: string,
  all: readonly SelectableGpu[],
): boolean {
  const starts = ({ uuid }: SelectableGpu) =>
    uuid.toLowerCase().startsWith(beginning.toLowerCase());
  return starts(gpu) && all.filter(starts).length === 1;
}

/** GPUs in the order in which a list names them: that is how the next variable counts them. */
function inOrderOf<G extends SelectableGpu>(gpus: readonly G[], list: string): readonly G[] {
  const entries = list.split(",").map((entry) => entry.trim());
  const position = (gpu: G) => entries.findIndex((entry) => matches(gpu, entry, gpus));
  return gpus.toSorted((a, b) => position(a) - position(b));
}

function hiddenNote<G extends SelectableGpu>(
  all: readonly G[],
  gpus: readonly G[],
  variable: string,
): string[] {
  const hidden = all.length - gpus.length;
  return hidden === 0 ? [] : [`${variable} hides ${hidden} of ${all.length} GPUs: not counted`];
}

/** CUDA numbers the fastest GPU 0 unless told otherwise; NVML numbers by PCI address. */
function orderNote(
  all: readonly SelectableGpu[],
  chosen: readonly SelectableGpu[],
  list: string,
  order: string | undefined,
): string[] {
  const unlike = new Set(all.map(({ name }) => name)).size > 1;
  const byIndex = list.split(",").some((entry) => /^\s*\d+\s*$/.test(entry));
  if (!unlike || !byIndex || order === "PCI_BUS_ID" || chosen.length === all.length) return [];
  return [
    "GPUs differ and CUDA_DEVICE_ORDER is not PCI_BUS_ID: CUDA may number them otherwise than " +
      "the driver; set CUDA_DEVICE_ORDER=PCI_BUS_ID or name GPUs by UUID",
  ];
}
