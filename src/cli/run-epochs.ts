// Epochs of a run: each becomes a span of the card, and from the first settled ones follows what the
// whole run will need. One progress line on a terminal, nothing elsewhere.

import { formatDuration, formatQuantity } from "../core/index.ts";
import type { EpochMark } from "../measure/run/epochs.ts";
import type { Meter, OpenSpan } from "../measure/run/meter.ts";
import { marksAtEnd, type Prediction, predictRun } from "../measure/run/predict.ts";
import type { CliContext } from "./context.ts";
import type { RunPlan } from "./run-options.ts";

/** More epochs than these become no spans of their own; a card must stay small. */
const MOST_SPANS = 1000;

export interface Epochs {
  see(mark: EpochMark): void;
  /** Closes the epoch under way. */
  end(): Promise<void>;
}

/** One measure of a run: before the first epoch, and each epoch since. */
interface Course {
  startUp: number;
  readonly epochs: number[];
}

interface Seen {
  readonly seconds: Course;
  readonly joules: Course;
  readonly grams: Course;
}

const course = (): Course => ({ startUp: 0, epochs: [] });

/** Watches the epochs of a run whose meter has just been started. */
export function createEpochs(options: {
  readonly context: CliContext;
  readonly plan: RunPlan;
  readonly meter: Meter;
}): Epochs {
  const { context, plan, meter } = options;
  const seen: Seen = { seconds: course(), joules: course(), grams: course() };
  const total = plan.epochs?.total ?? null;
  let open: OpenSpan | null = null;
  let marks = 0;
  let predicted = false;
  // Marks are worked off one after the other: opening and closing spans take samples.
  let queue: Promise<void> = meter.openSpan("start-up").then((span) => {
    open = span;
  });

  const closeSpan = async (at?: bigint): Promise<void> => {
    const span = open;
    open = null;
    if (span === null) return;
    const { duration, energy, emissions } = await span.close(at);
    record(seen.seconds, duration, marks);
    if (energy !== undefined) record(seen.joules, energy.value, marks);
    if (emissions !== undefined) record(seen.grams, emissions.value, marks);
  };

  const step = async ({ epoch, at }: EpochMark): Promise<void> => {
    await closeSpan(at);
    if (++marks <= MOST_SPANS) open = await meter.openSpan(`epoch ${epoch}`, undefined, at);
    const text = total === null ? null : forecast(seen, total);
    if (text === null) return;
    if (!predicted) meter.note(`after ${seen.seconds.epochs.length} epochs it looked like ${text}`);
    predicted = true;
    if (context.stderr.isTTY && plan.summary !== "never") {
      context.stderr.write(`godwit: epoch ${epoch} of ${total}; the whole run: ${text}\n`);
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

function record(course: Course, amount: number, marks: number): void {
  if (marks === 0) course.startUp = amount;
  else course.epochs.push(amount);
}

/**
 * `1.2 kJ (1.1 kJ to 1.3 kJ), 3 min (...), 0.2 gCO2e (...)`: the range is that of carrying the
 * epochs on, not of how they were measured. Null until it can be told.
 */
function forecast(seen: Seen, total: number): string | null {
  const options = { total, atEnd: marksAtEnd(seen.seconds) };
  const time = predictRun(seen.seconds, options);
  if (time === null) return null;
  const energy = predictRun(seen.joules, options);
  const carbon = predictRun(seen.grams, options);
  return [
    ...(energy === null ? [] : [told(energy, (value) => formatQuantity(value, "J"))]),
    told(time, formatDuration),
    ...(carbon === null ? [] : [told(carbon, (value) => formatQuantity(value, "gCO2e"))]),
  ].join(", ");
}

const told = ({ value, low, high }: Prediction, spell: (value: number) => string): string =>
  `${spell(value)} (${spell(low)} to ${spell(high)})`;
