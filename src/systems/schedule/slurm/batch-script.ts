// The batch script that Slurm gets for a job that runs under the meter. It is the same text for every job,
// but for the comments that the user's own script begins with, which hold sbatch's options; what is to be
// run comes as arguments, each a word of its own, and is read by no shell.

/**
 * `$1` and `$2` are Node and the program with which the job was submitted; what follows is a command line of
 * `godwit run`, with the job's own command behind `--`. Where that program is not on the node, another
 * that is in the PATH does; without any the command runs all the same, and standard error says so.
 */
const LAUNCH = `
node=$1 program=$2
shift 2
if "$node" "$program" --version >/dev/null 2>&1; then exec "$node" "$program" "$@"; fi
if godwit --version >/dev/null 2>&1; then exec godwit "$@"; fi
echo "godwit: it is not on \${SLURMD_NODENAME:-this node}: the job runs without the meter" >&2
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
`;

/** The text, with the comments of a user's script (null for a program) up to its first command. */
export function batchScript(text: string | null): string {
  return `${["#!/bin/sh", ...(text === null ? [] : headOf(text))].join("\n")}\n${LAUNCH}`;
}

/** Comments and empty lines below the line that names the interpreter. */
function headOf(text: string): readonly string[] {
  const [, ...lines] = text.split("\n");
  const end = lines.findIndex((line) => line.trim() !== "" && !line.startsWith("#"));
  return end === -1 ? lines : lines.slice(0, end);
}

/** What the script is started with, up to the job's own arguments. */
export function launchWords(of: {
  /** Node, and the file of this program. */
  readonly program: readonly [node: string, file: string];
  readonly id: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** A folder in which the cards wait that are made on the nodes. */
  readonly cards: string;
  /** The user's script, or a program. */
  readonly file: string;
}): readonly string[] {
  const tags = Object.entries({ ...of.tags, job: of.id });
  return [
    ...of.program,
    ...["run", "--quiet", "--defer", `--name=${of.name}`, `--ledger=${of.cards}`],
    ...tags.map(([key, value]) => `--tag=${key}=${value}`),
    ...["--", of.file],
  ];
}
