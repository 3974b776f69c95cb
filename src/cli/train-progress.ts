// What is said while a model is trained: one line that renews itself on a terminal, a line an epoch
// elsewhere.

import { formatDuration, formatQuantity } from "../core/index.ts";
import { predictTotal, type Summary } from "../measure/run/index.ts";
import type { Progress } from "../models/train/index.ts";
import type { CliContext } from "./context.ts";

export interface TrainProgress {
  see(progress: Progress): void;
  /** Takes the line away, or tells the last epochs. */
  end(history?: Progress["history"]): void;
}

/** What has been used so far; null before anything was seen. */
export type SoFar = () => Summary | null;

/** Least time between two renewals, milliseconds. */
const PAUSE_MS = 200;

export function createProgress(
  { stderr, host }: CliContext,
  options: { readonly metric: string; readonly soFar: SoFar; readonly quiet: boolean },
): TrainProgress {
  if (options.quiet) return { see() {}, end() {} };
  let last = 0;
  let told = 0;
  const tell = (history: Progress["history"]): void => {
    for (const entry of history.slice(told)) stderr.write(`${epochLine(entry, options.metric)}\n`);
    told = history.length;
  };
  return {
    see(progress) {
      if (!stderr.isTTY) return tell(progress.history);
      const now = host.wall();
      if (progress.update < progress.updates && now - last < PAUSE_MS) return;
      last = now;
      stderr.write(`\r\x1b[K${progressLine(progress, options, stderr.columns)}`);
    },
    end(history = []) {
      if (stderr.isTTY) stderr.write("\r\x1b[K");
      else tell(history);
    },
  };
}

/** `epoch 3/20  45/109  loss 0.812  accuracy 0.712  18.3 W  1.20 kJ  8.10 kJ (7.50 to 8.80) in all`. */
function progressLine(
  progress: Progress,
  { metric, soFar }: { readonly metric: string; readonly soFar: SoFar },
  columns: number,
): string {
  const { epoch, epochs, update, updates, loss, history } = progress;
  const used = soFar();
  const validation = history.at(-1)?.validation ?? null;
  const parts = [
    `epoch ${epoch}/${epochs}`,
    `${update}/${updates}`,
    `loss ${loss.toPrecision(3)}`,
    ...(validation === null ? [] : [`${metric} ${validation.toPrecision(3)}`]),
    ...(used?.energy === undefined || used.duration === 0
      ? []
      : [
          formatQuantity(used.energy.value / used.duration, "W"),
          formatQuantity(used.energy.value, "J"),
        ]),
    ...forecast(progress),
  ];
  return parts.join("  ").slice(0, columns - 1);
}

/** What the whole run will need, from the epochs that have ended. */
function forecast({ history, epochs }: Pick<Progress, "history" | "epochs">): string[] {
  const joules = history.flatMap(({ joules: used }) => used ?? []);
  const energy = joules.length < history.length ? null : predictTotal(joules, epochs);
  const time = predictTotal(
    history.map(({ seconds }) => seconds),
    epochs,
  );
  const of = energy ?? time;
  if (of === null) return [];
  const spell = (value: number): string =>
    energy === null ? formatDuration(value) : formatQuantity(value, "J");
  return [`${spell(of.value)} (${spell(of.low)} to ${spell(of.high)}) in all`];
}

function epochLine(entry: Progress["history"][number], metric: string): string {
  return [
    `epoch ${entry.epoch}`,
    `loss ${entry.loss.toPrecision(4)}`,
    ...(entry.validation === null ? [] : [`${metric} ${entry.validation.toPrecision(4)}`]),
    formatDuration(entry.seconds),
    ...(entry.joules === null ? [] : [formatQuantity(entry.joules, "J")]),
  ].join("  ");
}
