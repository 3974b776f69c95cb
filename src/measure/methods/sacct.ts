// Slurm's accounting, as `sacct --parsable2` prints it: one line a job or step, fields between `|`.
// Reads what Green Algorithms for HPC asks for (Submit, Elapsed, NCPUS, TotalCPU, CPUTime, ReqMem,
// MaxRSS, State, AllocTRES), on its own terms: steps belong to their job, units may be missing.

import { UserError } from "../../core/index.ts";

/** A finished or running job with its steps folded in. */
export interface SlurmJob {
  readonly id: string;
  readonly name: string;
  readonly partition: string;
  readonly state: string;
  /** Local times of the cluster, as Slurm writes them; null where the listing does not have them. */
  readonly submitted: string | null;
  readonly started: string | null;
  readonly ended: string | null;
  readonly nodes: number;
  readonly cpus: number;
  readonly gpus: number;
  /** Wall-clock time. */
  readonly elapsedS: number;
  /** CPU time that was used; 0 where Slurm did not record it. */
  readonly usedCpuS: number;
  /** CPU time that was reserved: elapsed x CPUs. */
  readonly reservedCpuS: number;
  readonly requestedGB: number;
  /** Largest resident memory of a step; null where Slurm did not record it. */
  readonly maxRssGB: number | null;
}

const NEEDED = ["JobID", "Elapsed", "NCPUS", "TotalCPU", "ReqMem", "State"] as const;

type Row = Readonly<Record<string, string>>;

/** Jobs of a listing, in its order. Throws UserError when it is not one. */
export function parseSacct(text: string): readonly SlurmJob[] {
  const rows = rowsOf(text);
  const byJob = new Map<string, Row[]>();
  for (const row of rows) {
    const id = (row["JobID"] ?? "").split(".")[0] ?? "";
    byJob.set(id, [...(byJob.get(id) ?? []), row]);
  }
  return [...byJob].map(([id, own]) => jobOf(id, own));
}

function rowsOf(text: string): readonly Row[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const [head, ...body] = lines;
  // The tool's own example is separated by tabs.
  const mark = head?.includes("|") ? "|" : "\t";
  const fields = head?.split(mark) ?? [];
  const absent = NEEDED.filter((field) => !fields.includes(field));
  if (absent.length > 0) {
    throw new UserError("invalid-input", `the listing has no ${absent.join(", ")}`, {
      hint: "Make it with: sacct -P --format JobID,JobName,Submit,Start,End,Elapsed,Partition,NNodes,NCPUS,TotalCPU,CPUTime,ReqMem,MaxRSS,State,AllocTRES",
    });
  }
  return body.map((line) => {
    const values = line.split(mark);
    return Object.fromEntries(fields.map((field, at) => [field, values[at]?.trim() ?? ""]));
  });
}

/** The job's own row first; its steps add memory and, where the job's is not recorded, CPU time. */
function jobOf(id: string, rows: readonly Row[]): SlurmJob {
  const main = rows.find((row) => row["JobID"] === id) ?? rows[0] ?? {};
  const largest = (field: string): number =>
    Math.max(...rows.map((row) => parseSlurmTime(row[field] ?? "")));
  const cpus = Number(main["NCPUS"]);
  const nodes = Number(main["NNodes"] || 1);
  const elapsedS = largest("Elapsed");
  const rss = rows.flatMap((row) => (row["MaxRSS"] ? [parseSlurmSize(row["MaxRSS"])] : []));
  return {
    id,
    name: main["JobName"] ?? "",
    partition: (main["Partition"] ?? "").split(",")[0] ?? "",
    state: (main["State"] ?? "").split(" ")[0] ?? "",
    submitted: timeOrNull(main["Submit"]),
    started: timeOrNull(main["Start"]),
    ended: timeOrNull(main["End"]),
    nodes,
    cpus,
    gpus: Number(/gres\/gpu(?::[^=,]+)?=(\d+)/.exec(main["AllocTRES"] ?? "")?.[1] ?? 0),
    elapsedS,
    usedCpuS: largest("TotalCPU"),
    reservedCpuS: main["CPUTime"] ? largest("CPUTime") : elapsedS * cpus,
    requestedGB: requestedOf(main["ReqMem"] ?? "", { nodes, cpus }),
    maxRssGB: rss.length === 0 ? null : Math.max(...rss),
  };
}

/** Slurm writes `Unknown` or `None` for a time that has not come. */
const timeOrNull = (text: string | undefined): string | null =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text ?? "") ? (text ?? null) : null;

/** `1-02:03:04`, `02:03:04`, `03:04.500`: seconds. Empty is 0, as Slurm leaves it where unknown. */
export function parseSlurmTime(text: string): number {
  if (text === "") return 0;
  const match = /^(?:(\d+)-)?(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$/.exec(text);
  if (match === null) throw badField("time", text, "1-02:03:04");
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = match;
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
}

const GIGABYTES_IN: Readonly<Record<string, number>> = { K: 1e-6, M: 1e-3, G: 1, T: 1e3 };

/** `2745K`, `1.5G`: gigabytes, a thousand megabytes each as the tool counts; a bare number is in K. */
export function parseSlurmSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)$/.exec(text);
  const scale = GIGABYTES_IN[match?.[2] || "K"];
  if (match === null || scale === undefined) throw badField("memory size", text, "2745K");
  return Number(match[1]) * scale;
}

/** `6760Mc` is for a CPU, `4Gn` for a node, `102G` for the job. */
function requestedOf(
  text: string,
  { nodes, cpus }: { readonly nodes: number; readonly cpus: number },
): number {
  if (text === "") return 0;
  const last = text.at(-1);
  if (last === "c") return parseSlurmSize(text.slice(0, -1)) * cpus;
  if (last === "n") return parseSlurmSize(text.slice(0, -1)) * nodes;
  return parseSlurmSize(text);
}

function badField(kind: string, text: string, example: string): UserError {
  return new UserError("invalid-input", `not a ${kind} of Slurm: "${text}"`, {
    hint: `Slurm writes it such as ${example}; give the output of sacct -P unchanged.`,
  });
}
