// The policies that are built in, by name, and which of them a job can be given.

import { UserError } from "../../../core/index.ts";
import { suggest } from "../../../core/suggest.ts";
import type { Job } from "../job.ts";
import { carbonTime } from "./carbon-time.ts";
import { ecovisor } from "./ecovisor.ts";
import { lowestSlot } from "./lowest-slot.ts";
import { lowestWindow } from "./lowest-window.ts";
import type { Policy } from "./policy.ts";
import { runNow } from "./run-now.ts";
import { suspendResume } from "./suspend-resume.ts";
import { waitAwhile, waitAwhileInterrupting } from "./wait-awhile.ts";

/** All built-in policies, the baseline first. */
export const builtInPolicies: readonly Policy[] = [
  runNow,
  lowestSlot,
  lowestWindow,
  waitAwhile,
  carbonTime,
  ecovisor,
  waitAwhileInterrupting,
  suspendResume,
];

/** The policy of a name. Throws UserError with the nearest there is. */
export function policyNamed(name: string): Policy {
  const found = builtInPolicies.find((policy) => policy.name === name);
  if (found !== undefined) return found;
  const names = builtInPolicies.map((policy) => policy.name);
  const near = suggest(name, names);
  throw new UserError("usage", `there is no policy "${name}"`, {
    hint: near === null ? `Give one of ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}

/** Whether stopping takes the job time or energy, or is not possible at any time. */
export const paysForStopping = ({ interruptible }: Pick<Job, "interruptible">): boolean =>
  interruptible !== null && Object.values(interruptible).some((cost) => cost > 0);

/** The policy that is exact for what a job allows. */
export function bestPolicyFor(job: Pick<Job, "interruptible">): Policy {
  if (job.interruptible === null) return lowestWindow;
  return paysForStopping(job) ? suspendResume : waitAwhileInterrupting;
}

/** Why a job cannot be placed by a policy; null when it can. */
export function unfitness(job: Pick<Job, "interruptible">, policy: Policy): string | null {
  if (policy.interrupts === "never") return null;
  if (job.interruptible === null) return "the job runs in one piece";
  return policy.interrupts === "free" && paysForStopping(job)
    ? "the job cannot stop at any time for nothing"
    : null;
}
