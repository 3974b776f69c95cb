// Work of godwit's own that is metered as a run: a meter over this process, a card in the ledger.

import type { Card } from "../core/card.ts";
import { reasonOf } from "../core/index.ts";
import { createSegment, keepCard, type LedgerPlace } from "../ledger/index.ts";
import { type LocateOptions, locate } from "../measure/carbon/index.ts";
import { model as powerModel } from "../measure/estimate/index.ts";
import { createMeter, type Ending, type Meter, type RecordSink } from "../measure/run/index.ts";
import { providers } from "../measure/sensors/index.ts";
import type { CliContext } from "./context.ts";

/** What is metered and where its card goes. */
export interface RunPlace {
  readonly subject: Card["subject"];
  readonly place: LedgerPlace;
  readonly signal: LocateOptions;
}

/** A run under way. */
export interface MeteredRun {
  readonly meter: Meter;
  /** Makes the card and keeps it. */
  finish(ending: Ending): Promise<KeptCard>;
  /** The work failed: its own error is what counts. */
  fail(): Promise<void>;
}

export interface KeptCard {
  readonly card: Card;
  /** The ledger's folder or server; null when the card could be kept nowhere. */
  readonly keptIn: string | null;
  readonly notices: readonly string[];
}

/** Starts the meter. */
export async function startRun(
  { host }: CliContext,
  { subject, place, signal }: RunPlace,
): Promise<MeteredRun> {
  const notices: string[] = [];
  const onNotice = (text: string): void => void notices.push(text);
  const meter = createMeter({
    ...{ host, subject, onNotice, providers: [...providers, powerModel] },
    signal: await locate(host, signal),
    sink: (id) => segmentOf(place, id),
  });
  await meter.start();
  return {
    meter,
    async finish(ending) {
      const card = await meter.stop(ending);
      return { card, keptIn: await keep(place, card, onNotice), notices };
    },
    async fail() {
      await meter.stop({ status: "failed" }).catch(() => {});
    },
  };
}

function segmentOf({ folder }: LedgerPlace, id: string): RecordSink {
  const segment = createSegment(folder, id);
  return {
    append(record) {
      const fault = segment.append(record);
      if (record.type === "end") segment.close();
      return fault;
    },
  };
}

async function keep(
  place: LedgerPlace,
  card: Card,
  onNotice: (text: string) => void,
): Promise<string | null> {
  try {
    const kept = await keepCard(place, card, { onNotice });
    if (kept.status === "pending") onNotice(`${kept.reason}; this run waits in ${kept.place}`);
    return kept.place;
  } catch (error) {
    onNotice(`this run was not kept: ${reasonOf(error)}`);
    return null;
  }
}
