// Lists of nodes as Slurm writes them: `n1`, `n[1-3,7]`, `rack[1-2]n[01-10],login`.

import { UserError } from "../../../core/index.ts";

/** Names that one list may stand for; a cluster has fewer. */
const MOST = 100_000;

/** The names behind a list, in its order. Throws UserError for one that is malformed or endless. */
export function expandHostList(text: string): readonly string[] {
  return splitOutside(text).flatMap((part) => expand(part, text));
}

/** Parts between the commas that stand outside brackets. */
function splitOutside(text: string): readonly string[] {
  const parts = text.match(/(?:[^,[\]]|\[[^[\]]*\])+/g) ?? [];
  if (parts.join(",") !== text) throw malformed(text);
  return parts;
}

function expand(part: string, text: string): readonly string[] {
  const bracket = /^(?<before>[^[\]]*)\[(?<ranges>[^[\]]*)\](?<after>.*)$/.exec(part)?.groups;
  if (bracket === undefined) return [part];
  const { before = "", ranges = "", after = "" } = bracket;
  const ends = expand(after, text);
  const starts = ranges.split(",").flatMap((range) => numbersOf(range, text));
  if (starts.length * ends.length > MOST) throw malformed(text);
  return starts.flatMap((number) => ends.map((end) => `${before}${number}${end}`));
}

/** `01-03`: 01, 02, 03. */
function numbersOf(range: string, text: string): readonly string[] {
  const [, first = "", last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  const count = Number(last) - Number(first) + 1;
  if (first === "" || !(count >= 1 && count <= MOST)) throw malformed(text);
  return Array.from({ length: count }, (_, at) =>
    String(Number(first) + at).padStart(first.length, "0"),
  );
}

function malformed(text: string): UserError {
  return new UserError("invalid-input", `not a list of nodes of Slurm: "${text.slice(0, 200)}"`, {
    hint: "Slurm writes it such as n[1-3,7].",
  });
}
