// The argument list of one sbatch. Everything is a word of its own; no shell reads any of it, so names,
// paths and comments may hold what they like.

export interface Submission {
  /** Options of the user's own. */
  readonly options: readonly string[];
  /** Absolute path. */
  readonly script: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Unix seconds. */
  readonly begin: number;
  /** Unix seconds; null when Slurm is not to know of one. */
  readonly deadline: number | null;
  /** Whether the job gets the environment that sbatch is started with. */
  readonly environment: "submitter" | "bare";
}

/**
 * Arguments of an sbatch that hands over a held job: it cannot begin before it is released, which happens
 * when its number is on the disk. The last of equal options counts, so ours come after the user's.
 */
export function sbatchArguments(of: Submission): readonly string[] {
  return [
    ...of.options,
    "--parsable",
    "--hold",
    `--begin=${moment(of.begin)}`,
    ...(of.deadline === null ? [] : [`--deadline=${moment(of.deadline)}`]),
    `--chdir=${of.cwd}`,
    ...(of.environment === "bare" ? ["--export=NONE"] : []),
    "--",
    of.script,
    ...of.args,
  ];
}

/** A moment as Slurm reads it whatever its time zone is: `uts` and Unix seconds. */
export const moment = (at: number): string => `uts${Math.max(1, Math.floor(at))}`;

/** The job's number in what `sbatch --parsable` says: `123`, or `123;cluster`. Null when there is none. */
export function submittedId(stdout: string): number | null {
  const [, id] = /^(\d+)(?:;[^\n]*)?\n?$/.exec(stdout) ?? [];
  const number = Number(id);
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}

/** What Slurm may be told of a deadline: null when its own rule would refuse the job or end it early. */
export function slurmDeadline(of: {
  readonly begin: number;
  readonly deadline: number;
  /** The job's time limit, seconds; null when it is not known before. */
  readonly limitS: number | null;
}): number | null {
  const { begin, deadline, limitS } = of;
  // Slurm removes a job that its limit, not its expected duration, would carry beyond the deadline.
  return limitS !== null && begin + limitS + 60 <= deadline ? deadline : null;
}
