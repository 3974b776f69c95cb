// Epochs of a run: each becomes a span of the card, and from the first settled ones follows what the
// whole run will need. One progress line on a terminal, nothing elsewhere.

import { formatDuration, formatQuantity } from "../core/index.ts";
import type { EpochMark } from "../measure/run/epochs.ts";
import type { Meter, OpenSpan } from "../measure/run/meter.ts";
import { type Prediction, predictTotal } from "../measure/run/predict.ts";
import type { CliContext } from "./context.ts";
import type { RunPlan } from "./run-options.ts";

/** More epochs than these become no spans of their own; a card must stay small. */
const MOST_SPANS = 1000;

export interface Epochs {
  see(mark: EpochMark): void;
  /** Closes the epoch under way. */
  end(): Promise<void>;
}

interface Seen {
  readonly seconds: number[];
  readonly joules: number[];
  readonly grams: number[];
}

export function createEpochs(options: {
  readonly context: CliContext;
  readonly plan: RunPlan;
  readonly meter: Meter;
}): Epochs {
  const { context, plan, meter } = options;
  const seen: Seen = { seconds: [], joules: [], grams: [] };
  const total = plan.epochs?.total ?? null;
  let open: OpenSpan | null = null;
  let marks = 0;
  let predicted = false;
  // Marks are worked off one after the other: opening and closing spans take samples.
  let queue: Promise<void> = Promise.resolve();

  const closeSpan = async (): Promise<void> => {
    const span = open;
    open = null;
    if (span === null) return;
    const { duration, energy, emissions } = await span.close();
    seen.seconds.push(duration);
    if (energy !== undefined) seen.joules.push(energy.value);
    if (emissions !== undefined) seen.grams.push(emissions.value);
  };

  const step = async ({ epoch }: EpochMark): Promise<void> => {
    await closeSpan();
    if (++marks <= MOST_SPANS) open = await meter.openSpan(`epoch ${epoch}`);
    if (total === null) return;
    const text = forecast(seen, total);
    if (text === null) return;
    if (!predicted) meter.note(`after ${seen.seconds.length} epochs: ${text}`);
    predicted = true;
    if (context.stderr.isTTY && plan.summary !== "never") {
      context.stderr.write(`godwit: epoch ${epoch} of ${total}; ${text}\n`);
    }
  };

  return {
    see(mark) {
      queue = queue.then(() => step(mark)).catch(() => {});
    },
    async end() {
      await queue;
      await closeSpan();
    },
  };
}

/** `the whole run: 1.2 kJ (1.1 to 1.3), 3 min (...), 0.2 gCO2e (...)`; null until it can be told. */
function forecast(seen: Seen, total: number): string | null {
  const time = predictTotal(seen.seconds, total);
  if (time === null) return null;
  const energy = predictTotal(seen.joules, total);
  const carbon = predictTotal(seen.grams, total);
  return [
    ...(energy === null ? [] : [told(energy, (value) => formatQuantity(value, "J"))]),
    told(time, formatDuration),
    ...(carbon === null ? [] : [told(carbon, (value) => formatQuantity(value, "gCO2e"))]),
  ].join(", ");
}

const told = ({ value, low, high }: Prediction, spell: (value: number) => string): string =>
  `${spell(value)} (${spell(low)} to ${spell(high)})`;
