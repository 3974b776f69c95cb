// How good can a packing be: the linear relaxation of the time-indexed model, where a job may be spread
// over its starts in parts that add up to one. Its optimum is a lower bound of every packing that
// places all jobs. Solved by HiGHS (WebAssembly), loaded when first asked for.

import { UserError } from "../../../core/index.ts";
import { costOf, type Horizon, runningSums, type SlotJob } from "./capacity.ts";

/** The bound, or that no packing places every job in time. */
export type Bound =
  | { readonly status: "bounded"; readonly cost: number }
  | { readonly status: "infeasible" };

/** Beyond this many pairs of job and start the text of the model alone takes hundreds of megabytes. */
const MOST_VARIABLES = 500_000;

/** Lower bound of the cost of packing all jobs. */
export async function capacityBound(jobs: readonly SlotJob[], horizon: Horizon): Promise<Bound> {
  const starts = jobs.map((job) => startsOf(job, horizon.capacity.length));
  if (starts.some((of) => of.length === 0)) return { status: "infeasible" };
  const variables = starts.reduce((sum, of) => sum + of.length, 0);
  if (jobs.length === 0) return { status: "bounded", cost: 0 };
  if (variables > MOST_VARIABLES)
    throw new UserError("unsupported", `the bound would need ${variables} variables`, {
      hint: `At most ${MOST_VARIABLES} are taken: fewer jobs, or longer slots.`,
    });
  const solution = (await loadHighs()).solve(modelOf(jobs, starts, horizon));
  if (solution.Status === "Infeasible") return { status: "infeasible" };
  if (solution.Status !== "Optimal")
    throw new UserError("unsupported", `HiGHS found no bound: ${solution.Status}`, {
      hint: "The packing stands; only how far it may be from the optimum is not known.",
    });
  return { status: "bounded", cost: solution.ObjectiveValue };
}

/** How far a packing may be above the optimum at most: 0.02 is 2 %. */
export const gapOf = (cost: number, bound: number): number =>
  bound === 0 ? (cost === 0 ? 0 : Infinity) : cost / bound - 1;

interface Solver {
  solve(model: string): { readonly Status: string; readonly ObjectiveValue: number };
}

/** The solver. Its declarations describe the CommonJS build, Node loads the ES module. */
async function loadHighs(): Promise<Solver> {
  const module = (await import("highs")) as unknown as { readonly default: () => Promise<Solver> };
  return module.default();
}

function startsOf(job: SlotJob, slots: number): readonly number[] {
  const last = Math.min(job.latestStart, slots - job.slots);
  const count = Math.max(0, last - job.earliest + 1);
  return Array.from({ length: count }, (_, at) => job.earliest + at);
}

/** The model in CPLEX LP format: x<j>_<s> is the share of job j that starts in slot s. */
function modelOf(
  jobs: readonly SlotJob[],
  starts: readonly (readonly number[])[],
  { capacity, intensity }: Horizon,
): string {
  const sums = runningSums(intensity);
  const objective: string[] = [];
  const once: string[] = [];
  const load = Array.from({ length: capacity.length }, (): string[] => []);
  for (const [j, job] of jobs.entries()) {
    const shares = starts[j] ?? [];
    once.push(`j${j}: ${shares.map((s) => `x${j}_${s}`).join("\n + ")} = 1`);
    for (const s of shares) {
      objective.push(`${costOf(job, s, sums)} x${j}_${s}`);
      for (let slot = s; slot < s + job.slots; slot++) load[slot]?.push(`${job.nodes} x${j}_${s}`);
    }
  }
  const limits = load.flatMap((terms, slot) =>
    terms.length === 0 ? [] : [`c${slot}: ${terms.join("\n + ")} <= ${capacity[slot]}`],
  );
  return ["Minimize", objective.join("\n + "), "Subject To", ...once, ...limits, "End"].join("\n");
}
