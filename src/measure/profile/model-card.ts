// The card of a model: what it has and costs on paper, for the ledger. Nothing ran, so it has no energy.

import { CARD_SCHEMA, type Card, type Machine, parseCard } from "../../core/card.ts";
import { newCardId } from "../../core/id.ts";
import { exact, figure, type Host } from "../../core/index.ts";
import { VERSION } from "../../core/version.ts";
import type { Amount } from "./amount.ts";
import type { ModelCount } from "./count-model.ts";

export interface ModelCardOptions {
  readonly host: Host;
  readonly machine: Machine;
  readonly name: string;
  /** Seconds that counting took: the time of this card. */
  readonly durationS: number;
}

const PAPER = { method: "estimated", source: "counted from the graph" } as const;

/** The card. Operations that hang on open sizes are left out and said so. */
export function modelCard(model: ModelCount, options: ModelCardOptions): Card {
  const { host, machine, name, durationS } = options;
  const ended = host.wall();
  const { macs, flops } = model.totals;
  const notices = [
    ...model.uncounted.map(
      ({ operator, nodes, reason }) => `not counted: ${nodes.length} ${operator} (${reason})`,
    ),
    ...(model.symbols.length === 0
      ? []
      : [`operations hang on open sizes: ${model.symbols.join(", ")}`]),
  ];
  return parseCard({
    schema: CARD_SCHEMA,
    id: newCardId(host),
    subject: { kind: "model", name, tags: { flops: model.convention } },
    status: "complete",
    startedAt: new Date(ended - durationS * 1000).toISOString(),
    endedAt: new Date(ended).toISOString(),
    measures: {
      duration: exact("s", durationS, { method: "measured", source: "monotonic clock" }),
      modelSize: exact("B", model.bytes, {
        method: "measured",
        source: "tensors stored in the file",
      }),
      parameters: exact("parameters", model.parameters.total, {
        method: "measured",
        source: "tensors stored in the file",
      }),
      operations: { ...operationOf("macs", "MAC", macs), ...operationOf("flops", "FLOP", flops) },
    },
    boundary: { headline: "gross", scope: "component", idlePolicy: "nothing ran" },
    components: [],
    spans: [],
    gaps: [],
    series: [],
    steps: [],
    notices,
    machine,
    godwit: { version: VERSION },
  });
}

/** A figure whose bounds are those of the branches; none while it is an expression. */
function operationOf(name: "macs" | "flops", unit: "MAC" | "FLOP", amount: Amount | null): object {
  if (typeof amount?.least !== "number" || typeof amount.most !== "number") return {};
  const { least: low, most: high } = amount;
  return { [name]: figure(unit, high, { low, high }, PAPER) };
}
