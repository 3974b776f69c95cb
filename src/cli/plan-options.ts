// Options about the job and the decision that `godwit plan` and `godwit submit` have in common.

import { Option } from "@commander-js/extra-typings";
import { parsePositive } from "./values.ts";

export const EARLIEST = ["--earliest <when>", "not before; now unless given"] as const;
export const POLICY = [
  "--policy <name>",
  "how to choose; the one that fits the job unless given",
] as const;
export const ERROR = ["--error <share>", "how far off savings by this forecast are: 10%"] as const;
export const THRESHOLD = [
  "--threshold <share>",
  "least saving that is worth waiting for: 2%",
  "0",
] as const;

/** What options imply that only make sense for such a job. */
export const STOPPABLE = { interruptible: true } as const;

/** Of the work: what its duration grows with. Runs tell theirs by a tag. */
export const sizeOption = () =>
  new Option(
    "--size <number>",
    "how large its work is (rows, epochs): learned durations follow it",
  ).argParser((text) => parsePositive("--size", text));

export const minRunOption = () =>
  new Option("--min-run <time>", "shortest stretch between two stops").implies(STOPPABLE);

export const restartOption = () =>
  new Option("--restart <time>", "what continuing takes, at full power").implies(STOPPABLE);
