// What the values of a file are: what the file itself says, else what the caller says of it, else the
// accounting that most published figures have. The two must not contradict each other.

import { UserError } from "../../../core/index.ts";
import type { Accounting } from "../intensity.ts";

const CHOICES = {
  kind: ["average", "marginal"],
  basis: ["location", "market"],
  scope: ["life-cycle", "direct", "unknown"],
} as const;

const ASSUMED: Accounting = { kind: "average", basis: "location", scope: "unknown" };

/** Fields or columns of a file that may say what its values are. */
type Told = Readonly<Record<string, unknown>>;

/**
 * The accounting of a file. `told` are its own fields, then those of each row. Throws UserError for a word
 * that is none, for rows of different accountings, and where the file and the caller disagree.
 */
export function fileAccounting(
  target: string,
  told: readonly Told[],
  given: Partial<Accounting>,
): Accounting {
  const of = <K extends keyof Accounting>(name: K): Accounting[K] => {
    const words = new Set(told.map((fields) => fields[name]).filter((word) => word != null));
    const [word, other] = [...words].map((one) => wordOf(target, name, one));
    if (other !== undefined) {
      throw new UserError("invalid-input", `${target} mixes ${word} and ${other} values`, {
        hint: "Unlike values are never averaged: keep one file for each.",
      });
    }
    const asked = given[name];
    if (word !== undefined && asked !== undefined && word !== asked) {
      throw new UserError(
        "invalid-input",
        `${target} says that its ${name} is ${word}, not ${asked}`,
        {
          hint: `Leave out --${name}, or correct the file.`,
        },
      );
    }
    return word ?? asked ?? ASSUMED[name];
  };
  return { kind: of("kind"), basis: of("basis"), scope: of("scope") };
}

function wordOf<K extends keyof Accounting>(target: string, name: K, word: unknown): Accounting[K] {
  const choices = CHOICES[name] as readonly unknown[] as readonly Accounting[K][];
  const found = choices.find((choice) => choice === word);
  if (found !== undefined) return found;
  const shown = String(word).slice(0, 40);
  throw new UserError("invalid-input", `${target}: "${shown}" is no ${name} of carbon intensity`, {
    hint: `Write one of ${choices.join(", ")}.`,
  });
}
