// What the ledger knows of a tuned training: runs to cards' tags and back.

import { z } from "zod";
import type { Card } from "../core/card.ts";
import type { Ledger } from "../ledger/index.ts";
import type { TunedRun } from "../systems/tune/index.ts";

const RUN = z.object({
  batch: z.number().positive(),
  limit: z.number().nullable(),
  seconds: z.number().positive(),
  joules: z.number().nonnegative(),
  reached: z.boolean(),
  profiles: z.array(z.object({ limit: z.number(), seconds: z.number(), watts: z.number() })),
});

/** Runs of a name, oldest first. Cards that say nothing of a tuning are passed over. */
export async function tunedRuns(ledger: Ledger, name: string): Promise<readonly TunedRun[]> {
  const runs: TunedRun[] = [];
  for await (const { subject } of ledger.cards({ tags: { tune: name } })) {
    const parsed = RUN.safeParse(jsonOf(subject.tags["tune.run"]));
    if (parsed.success) runs.push(parsed.data);
  }
  return runs.reverse();
}

/** Puts what a run has shown on its card. */
export async function keepRun(ledger: Ledger, card: Card, run: TunedRun): Promise<void> {
  const tags = { ...card.subject.tags, "tune.run": JSON.stringify(run) };
  await ledger.put({ ...card, subject: { ...card.subject, tags } });
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
