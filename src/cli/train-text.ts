// What `godwit train` says at the end.

import { formatQuantity, shellWord } from "../core/index.ts";
import { renderTerminal } from "../report/index.ts";
import type { CliContext } from "./context.ts";
import type { KeptCard } from "./metered-run.ts";
import { painter, wantsColor } from "./terminal.ts";
import type { Trained } from "./train-run.ts";

interface Files {
  readonly model: string;
  readonly recipe: string;
  /** Absent when the run was done. */
  readonly checkpoint?: string;
}

const WHY: Readonly<Record<Trained["result"]["stopped"], string>> = {
  epochs: "done",
  patience: "no epoch was better any more",
  energy: "the energy budget was used up",
  aborted: "interrupted",
  "not-finite": "numbers were no longer finite",
};

/** The text for people: how it went, the card, what to do next. */
export function trainedText(context: CliContext, trained: Trained, files: Files): string {
  const { result, recipe, rows } = trained;
  const paint = painter(wantsColor(context.stdout, context.env));
  const epochs = result.history.length;
  const lines = [
    `${paint("strong", WHY[result.stopped])} after ${epochs} ${epochs === 1 ? "epoch" : "epochs"}, ${formatQuantity(result.parameters, "parameters")} trained`,
    ...(result.best === null ? [] : [`  best epoch  ${result.best.epoch} of ${epochs}`]),
    ...(recipe.select === undefined
      ? []
      : [`  rows        ${rows.chosen} of ${rows.of}, by ${recipe.select.kind}`]),
    `  model       ${files.model}`,
    `  recipe      ${files.recipe}`,
    ...(files.checkpoint === undefined
      ? []
      : [`  go on with  godwit train --resume ${shellWord(files.checkpoint)}`]),
    "",
  ];
  return lines.join("\n") + cardText(context, trained);
}

/** A card that was just kept. */
export function cardText(context: CliContext, { card, keptIn }: KeptCard): string {
  const paint = painter(wantsColor(context.stdout, context.env));
  const saved = keptIn === null ? {} : { savedTo: `${card.id} in ${keptIn}` };
  const next = keptIn === null ? [] : [`godwit explain ${card.id}`];
  return renderTerminal(card, { width: context.stdout.columns, paint, next, ...saved });
}

/** The outcome for programs. */
export function trainedObject(
  { result, card, recipe, rows }: Trained,
  files: Files,
): Readonly<Record<string, unknown>> {
  const { stopped, best, history, parameters, notices } = result;
  return {
    schema: "godwit.training/1",
    ...{ stopped, best, trained_parameters: parameters, rows, files, recipe, notices },
    epochs: history.map(({ seconds, joules, grams, ...entry }) => ({
      ...entry,
      ...{ duration_s: seconds, energy_j: joules, emissions_gco2e: grams },
    })),
    card,
  };
}
