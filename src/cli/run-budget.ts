// `--max-energy`: looks at what a run has used so far, and warns or stops it beyond the budget.

import { formatQuantity, type Joules, joules } from "../core/index.ts";
import { createJournal, type RecordSink } from "../measure/run/journal.ts";
import type { TickRecord } from "../measure/run/record.ts";
import { summarise } from "../measure/run/result.ts";
import type { RunPlan } from "./run-options.ts";

export interface BudgetOptions {
  readonly plan: RunPlan;
  readonly signal: (name: NodeJS.Signals) => void;
  readonly onNotice: (text: string) => void;
  /** Tells the user at once. */
  readonly say: (text: string) => void;
  readonly onStop: () => void;
}

/** Sees the records of a run as they come. */
export interface Budget extends RecordSink {
  /** The command has ended: nothing is stopped any more. */
  end(): void;
}

/**
 * Adding up all records takes longer the longer a run is, so it is done anew only when the sensors'
 * own sum says that another hundredth of the budget may have gone.
 */
const STEPS = 100;

/** A budget that watches nothing when none was given. */
export function createBudget(options: BudgetOptions): Budget {
  const { budget } = options.plan;
  if (budget === null) return { append: () => null, end() {} };
  const journal = createJournal();
  const energy: Joules = budget.energy;
  let told = false;
  let ended = false;
  let checked = { used: 0, raw: 0 };
  let timer: NodeJS.Timeout | undefined;

  const exceed = (used: number): void => {
    told = true;
    const text = `the budget of ${formatQuantity(energy, "J")} is used up (${formatQuantity(used, "J")})`;
    const stops = budget.onExceed === "stop";
    options.say(stops ? `${text}: stopping the command` : text);
    options.onNotice(text);
    if (!stops) return;
    options.onStop();
    options.signal("SIGTERM");
    const { grace } = budget;
    if (grace === null) return;
    timer = setTimeout(() => {
      if (ended) return;
      options.say("the command did not end in time: killing it");
      options.signal("SIGKILL");
    }, grace * 1000);
  };

  return {
    append(record) {
      journal.append(record);
      if (record.type !== "tick" || told || ended) return null;
      const raw = rawJoules(record);
      if (raw - checked.raw < energy / STEPS && checked.used < energy) return null;
      const used = joules(summarise(journal.records()).energy?.value ?? 0);
      checked = { used, raw };
      if (used > energy) exceed(used);
      return null;
    },
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}

function rawJoules({ values }: TickRecord): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}
