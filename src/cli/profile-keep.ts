// `godwit profile --keep`: the card of a model in the ledger.

import { basename } from "node:path";
import { openLedger } from "../ledger/index.ts";
import { modelCard } from "../measure/profile/model-card.ts";
import { identifyMachine } from "../measure/run/identity.ts";
import type { CliContext } from "./context.ts";
import { ledgerOf } from "./open-ledger.ts";
import type { Findings } from "./profile-findings.ts";

export interface KeepOptions {
  readonly path: string;
  /** Default: the file's name without its ending. */
  readonly name: string | null;
  readonly ledger: string | undefined;
}

/** Keeps the card and says under which id. */
export async function keepModel(
  context: CliContext,
  { count, durationS }: Findings,
  { path, name, ledger: flag }: KeepOptions,
): Promise<void> {
  const { host, stderr } = context;
  const machine = await identifyMachine(host);
  const subject = name ?? basename(path, ".onnx");
  const card = modelCard(count, { host, machine, name: subject, durationS });
  const ledger = await openLedger(ledgerOf(context, flag), { ifAbsent: "create" });
  try {
    await ledger.put(card);
  } finally {
    ledger.close();
  }
  stderr.write(`kept as ${card.id} (godwit show ${card.id})\n`);
}
