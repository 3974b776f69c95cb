// What jobs saved, in words and tables: the same on a terminal, in Markdown and as JSON.

import { formatDuration, formatFigure, formatQuantity } from "../core/index.ts";
import { savingVerb } from "../systems/schedule/index.ts";
import type { Account, Total, Unaccounted } from "../systems/schedule/jobs/index.ts";
import { escapeMarkdown } from "./markdown.ts";

export interface SavingsView {
  readonly totals: readonly Total[];
  readonly accounts: readonly Account[];
  readonly unaccounted: readonly Unaccounted[];
  readonly names: ReadonlyMap<string, string>;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const grams = (value: number): string => formatQuantity(value, "gCO2e");

/** Label and words of each line about a total. */
export function totalLines(of: Total): readonly (readonly [label: string, words: string])[] {
  const { oracle, losses, delayS } = of;
  const caught =
    oracle.savedGrams > 0
      ? `, ${percent(oracle.reachedGrams / oracle.savedGrams)} of it caught`
      : "";
  return [
    ["jobs", `${of.jobs}, judged by the ${of.signal} ${of.basis}-based intensity`],
    ["energy", `${formatFigure(of.energy)}, ${of.energy.method}`],
    ["emitted", formatFigure(of.realised)],
    ["at once", `${formatFigure(of.counterfactual)} if each had started when submitted`],
    [savingVerb(of.signal), `${formatFigure(of.saving)}: ${percent(of.share)}`],
    ["planned", `${percent(of.plannedShare)} was expected when submitted`],
    ["losses", `${losses.jobs} of them emitted more, ${grams(losses.grams)} in all; counted in`],
    [
      "best possible",
      oracle.jobs === 0
        ? "not known yet: it needs the intensities up to the deadlines"
        : `${grams(oracle.savedGrams)} by perfect foresight over ${oracle.jobs} jobs${caught}; regret ${grams(oracle.regretGrams)}`,
    ],
    [
      "delay",
      `${formatDuration(delayS.median)} in the middle, ${formatDuration(delayS.most)} at most; ${of.late} ended after the deadline`,
    ],
    ...(of.byForecast === 0
      ? []
      : [
          [
            "by forecast",
            `${of.byForecast} are judged by the forecast they were decided by: what came is not known yet`,
          ] as const,
        ]),
  ];
}

export const JOB_COLUMNS = [
  { title: "JOB" },
  { title: "NAME", flexible: true },
  { title: "ENERGY", align: "right" },
  { title: "EMITTED", align: "right" },
  { title: "AT ONCE", align: "right" },
  { title: "SAVED", align: "right" },
  { title: "BEST", align: "right" },
  { title: "DELAY", align: "right" },
] as const;

/** A row for each account. */
export const jobRow = (one: Account, names: ReadonlyMap<string, string>): readonly string[] => [
  one.id.split("-").at(-1) ?? one.id,
  names.get(one.id) ?? "",
  formatQuantity(one.energy.value, "J"),
  grams(one.realised.value),
  grams(one.counterfactual.value),
  percent(one.share),
  one.oracleGrams === null || one.counterfactual.value === 0
    ? "-"
    : percent(one.oracleGrams / one.counterfactual.value),
  formatDuration(one.delayS),
];

/** What must be said with every saving. */
export function cautions({ totals, unaccounted }: SavingsView): readonly string[] {
  const reasons = new Map<string, number>();
  for (const { reason } of unaccounted) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return [
    ...(totals.some(({ signal }) => signal === "average")
      ? [
          "Average intensity shares out anew what a grid emits: reallocated, not avoided. What it emits less is a marginal question.",
        ]
      : []),
    ...(totals.length > 1 ? ["Kinds of intensity are not added to each other."] : []),
    ...[...reasons].map(([reason, count]) => `Not counted, ${count}: ${reason}.`),
  ];
}

/** The savings as a Markdown section. */
export function savingsMarkdown(view: SavingsView): string {
  const cell = (text: string): string => escapeMarkdown(text);
  const rows = (lines: readonly (readonly string[])[]): string =>
    lines.map((line) => `| ${line.map(cell).join(" | ")} |`).join("\n");
  const sections = view.totals.flatMap((total) => [
    `### By ${total.signal} ${total.basis}-based intensity`,
    `| | |\n|---|---|\n${rows(totalLines(total))}`,
  ]);
  const head = JOB_COLUMNS.map(({ title }) => title);
  const table = `${rows([head])}\n|${JOB_COLUMNS.map(() => "---").join("|")}|`;
  const jobs = view.accounts.map((one) => jobRow(one, view.names));
  return `${[
    "## What jobs saved by when they ran",
    ...sections,
    ...(jobs.length === 0 ? ["No job is done yet."] : [`${table}\n${rows(jobs)}`]),
    ...cautions(view).map(cell),
  ].join("\n\n")}\n`;
}

/** The account of one job for other programs; null while it has none. */
export function accountJson(of: Account | Unaccounted | null) {
  if (of === null) return null;
  return "reason" in of ? { not_counted: of.reason } : figuresOf(of);
}

const figuresOf = (one: Account) => ({
  ...{ trace: { ...one.trace }, energy_j: one.energy, ran_s: one.ranS, pieces: one.pieces },
  realised_gco2e: one.realised,
  started_at_once_gco2e: one.counterfactual,
  saving_gco2e: one.saving,
  ...{ saving_share: one.share, planned_share: one.plannedShare },
  ...{ oracle_saving_gco2e: one.oracleGrams, regret_gco2e: one.regretGrams },
  ...{ delay_s: one.delayS, late: one.isLate },
});

/** The savings for other programs. */
export function savingsJson({ totals, accounts, unaccounted, names }: SavingsView): string {
  const json = {
    schema: "godwit.savings/1",
    totals: totals.map((one) => ({
      ...{ kind: one.signal, basis: one.basis, jobs: one.jobs, saving_is: savingVerb(one.signal) },
      energy_j: one.energy,
      realised_gco2e: one.realised,
      started_at_once_gco2e: one.counterfactual,
      saving_gco2e: one.saving,
      ...{ saving_share: one.share, planned_share: one.plannedShare },
      losses: { jobs: one.losses.jobs, gco2e: one.losses.grams },
      oracle: {
        ...{ jobs: one.oracle.jobs, saving_gco2e: one.oracle.savedGrams },
        ...{ reached_gco2e: one.oracle.reachedGrams, regret_gco2e: one.oracle.regretGrams },
      },
      delay_s: one.delayS,
      ...{ late: one.late, judged_by_forecast: one.byForecast },
    })),
    jobs: accounts.map((one) => ({
      ...{ id: one.id, name: names.get(one.id) ?? "", ...figuresOf(one) },
    })),
    not_counted: unaccounted,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
