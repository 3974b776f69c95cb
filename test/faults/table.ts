// The tables of docs/methods/faults.md, from the verdicts.

import type { Fault, Verdict } from "./fault.ts";

/** One table a family, with how many faults ended how above them. */
export function faultTables(
  families: Readonly<Record<string, readonly Fault[]>>,
  verdicts: ReadonlyMap<string, Verdict>,
): string {
  const all = Object.values(families).flat();
  const count = (of: (verdict: Verdict) => boolean): number =>
    [...verdicts.values()].filter(of).length;
  const ended = [...new Set(all.map(({ expect }) => expect))].map((expectation) => {
    const those = all.filter(({ expect }) => expect === expectation);
    return `${those.length} ${expectation}`;
  });
  const summary = [
    `${all.length} faults: ${ended.join(", ")}.`,
    `The truth is inside every interval for ${count(({ covered }) => covered === true)};`,
    `there is no figure for ${count(({ covered }) => covered === null)};`,
    `for ${count(({ covered }) => covered === false)} a figure does not hold it, and a gap or a notice says why.`,
    `**Silent errors: ${count(({ silent }) => silent.length > 0)}.**`,
  ].join(" ");
  const tables = Object.entries(families).map(([family, faults]) =>
    [
      `### ${family[0]?.toUpperCase()}${family.slice(1)}`,
      "",
      "| fault | outcome | truth inside | why |",
      "|---|---|---|---|",
      ...faults.map((fault) => rowOf(fault, verdicts.get(fault.name))),
    ].join("\n"),
  );
  return [summary, ...tables].join("\n\n");
}

function rowOf({ name, expect, why }: Fault, verdict: Verdict | undefined): string {
  const inside = { true: "yes", false: "no", null: "no figure" }[String(verdict?.covered ?? null)];
  return `| ${[name, expect, inside, why].join(" | ")} |`;
}
