// The words that people write after `sbatch`: options, then a script or a program, its arguments. Split by the
// options of sbatch(1), so that what is to run is found behind them, and with those refused that godwit sets
// itself.

import { UserError } from "../../../core/index.ts";

interface SbatchWords {
  /** Handed to sbatch as they are. */
  readonly options: readonly string[];
  /** A batch script or a program. */
  readonly file: string;
  readonly args: readonly string[];
}

/** Short options that take no value; all others do. */
const SHORT_FLAGS = "hHkOsQvVW";

/** Long options that take no value, or one only after `=`; all others take one. */
const LONG_FLAGS = new Set(
  "contiguous exclusive get-user-env help hold ignore-pbs nice no-kill no-requeue overcommit oversubscribe parsable propagate quiet reboot requeue spread-job test-only usage use-min-nodes verbose version wait".split(
    " ",
  ),
);

/** Options that cannot stand, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  ...fill(["b", "begin"], "the plan says when it begins"),
  ...fill(["deadline"], "godwit's own --deadline is handed on"),
  ...fill(["H", "hold"], "the plan says when it begins"),
  ...fill(["D", "chdir"], "it runs in the folder that it is submitted from"),
  ...fill(["M", "clusters"], "jobs are followed on one cluster"),
  ...fill(["W", "wait"], "the job may begin in hours; follow it with godwit jobs"),
  ...fill(["wrap"], "give the command itself"),
  ...fill(["export-file"], "the environment is handed on"),
  ...fill(["h", "help", "usage", "V", "version", "test-only"], "nothing would be submitted"),
  ...fill(["parsable", "Q", "quiet", "v", "verbose"], "godwit reads what sbatch says"),
};

function fill(names: readonly string[], why: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, why]));
}

/** Splits words at what is to run. Throws UserError without one, or for an option that cannot stand. */
export function splitSbatch(words: readonly string[]): SbatchWords {
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") {
      at++;
      break;
    }
    if (!word.startsWith("-") || word === "-") break;
    const { name, takesNext } = optionOf(word);
    const why = REFUSED[name];
    if (why !== undefined)
      throw new UserError("usage", `${word} cannot be given to sbatch here: ${why}`, {
        hint: "Leave it away.",
      });
    if (takesNext) at++;
  }
  const file = words[at];
  if (file === undefined || file === "" || file === "-")
    throw new UserError("usage", "no batch script or program is named", {
      hint: "Give it after sbatch's options: godwit submit --engine slurm --deadline +18h -- -N2 train.sh",
    });
  const options = words.slice(0, at).filter((word, index) => word !== "--" || index !== at - 1);
  return { options, file, args: words.slice(at + 1) };
}

/** The name of an option, and whether the next word is its value. */
function optionOf(word: string): { readonly name: string; readonly takesNext: boolean } {
  if (word.startsWith("--")) {
    const [name = ""] = word.slice(2).split("=");
    return { name, takesNext: !word.includes("=") && !LONG_FLAGS.has(name) };
  }
  // Flags can be joined (-sO), and a value can follow at once (-N2).
  const valued = [...word.slice(1)].findIndex((letter) => !SHORT_FLAGS.includes(letter));
  const name = word[1] ?? "";
  return { name, takesNext: valued !== -1 && valued === word.length - 2 };
}

/** The options that a script carries in its #SBATCH lines, which end at its first command. */
export function scriptOptions(text: string): readonly string[] {
  const words: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("#SBATCH ")) words.push(...(line.slice(8).match(/\S+/g) ?? []));
    else if (line.trim() !== "" && !line.startsWith("#")) break;
  }
  return words;
}

/** The last value of an option among words: `--time=5`, `--time 5`, `-t5`, `-t 5`; null without one. */
export function optionValue(words: readonly string[], long: string, short: string): string | null {
  let value: string | null = null;
  for (const [at, word] of words.entries()) {
    if (word === `--${long}` || word === `-${short}`) value = words[at + 1] ?? null;
    else if (word.startsWith(`--${long}=`)) value = word.slice(long.length + 3);
    else if (word.startsWith(`-${short}`) && !word.startsWith("--")) value = word.slice(2);
  }
  return value;
}

/**
 * Seconds of a time limit as sbatch(1) writes it: minutes, minutes:seconds, hours:minutes:seconds,
 * days-hours and so on. Slurm counts in minutes and rounds up. Null for one without end or malformed.
 */
export function limitOf(text: string): number | null {
  const match = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text.trim());
  if (match === null) return null;
  const [, days, first, second, third] = match.map((part) => Number(part ?? 0));
  const [a = 0, b = 0, c = 0] = [first, second, third];
  const hasDays = match[1] !== undefined;
  const seconds = hasDays
    ? (days ?? 0) * 86_400 + a * 3600 + b * 60 + c
    : match[4] !== undefined
      ? a * 3600 + b * 60 + c
      : a * 60 + b;
  return seconds === 0 ? null : Math.ceil(seconds / 60) * 60;
}
