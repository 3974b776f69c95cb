// Who may claim the machine. Several `godwit run` can measure one node at once: ranks of a
// distributed job, or one run inside another. Each knows its own CPU time; the energy of the machine
// must be counted by one of them alone.

import type { Host } from "../../core/index.ts";

/** Names the run around this process and its machine: `<run id>@<machine id>`. */
export const PARENT_VARIABLE = "GODWIT_RUN";

/**
 * Rank of this process on its node: torchrun, Open MPI, Slurm. A launcher may start another, so a
 * process leads its node when it is the first of each that speaks.
 */
const LOCAL_RANKS = ["LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"] as const;

export type Place =
  /** Nobody else measures this machine for this job. */
  | { readonly kind: "alone" }
  /** First rank of its node: claims the machine for all of them. */
  | { readonly kind: "leader"; readonly notice: string }
  /** Another rank of the node: owns its share, not the machine. */
  | { readonly kind: "rank"; readonly ownsGpus: boolean; readonly notice: string }
  /** Inside another run of this machine, whose card has this energy too. */
  | { readonly kind: "nested"; readonly parent: string; readonly notice: string };

/** Where this process stands on the machine with this id. */
export function placeOf({ env }: Pick<Host, "env">, machineId: string): Place {
  const parent = parentOn(env[PARENT_VARIABLE], machineId);
  if (parent !== null) {
    const notice = `inside the run ${parent}: its card has this energy too, so do not add the two`;
    return { kind: "nested", parent, notice };
  }
  const ranks = LOCAL_RANKS.flatMap((name) => {
    const rank = env[name];
    return rank === undefined || !/^\d+$/.test(rank) ? [] : [{ name, rank: Number(rank) }];
  });
  const ownsGpus = hasGpusOfItsOwn(env);
  const other = ranks.find(({ rank }) => rank > 0);
  if (other !== undefined) {
    const gpus = ownsGpus ? "" : " and its GPUs";
    const notice = `rank ${other.rank} of its node (${other.name}): this card has its own share of active energy; the machine's idle power${gpus} are on the card of rank 0`;
    return { kind: "rank", ownsGpus, notice };
  }
  const [first] = ranks;
  if (first === undefined) return { kind: "alone" };
  const gpus = ownsGpus ? "" : " and GPUs";
  const notice = `rank 0 of its node (${first.name}): this card has the machine's idle power${gpus} for all its ranks`;
  return { kind: "leader", notice };
}

/** What to put into the environment of a measured command. */
export function markNested(runId: string, machineId: string): Readonly<Record<string, string>> {
  return { [PARENT_VARIABLE]: `${runId}@${machineId}` };
}

/** Whether the batch system hands each rank its own GPUs (Slurm `--gpus-per-task`). */
function hasGpusOfItsOwn(env: Host["env"]): boolean {
  return env["SLURM_GPUS_PER_TASK"] !== undefined || /gpu/.test(env["SLURM_TRES_PER_TASK"] ?? "");
}

/** The run around this process; one that a batch system carried from another machine is not. */
function parentOn(mark: string | undefined, machineId: string): string | null {
  const [run, machine] = mark?.split("@") ?? [];
  return run !== undefined && run !== "" && machine === machineId ? run : null;
}
