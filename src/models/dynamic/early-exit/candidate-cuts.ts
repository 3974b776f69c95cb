// Which cuts are worth a head, before anything is fitted or measured.

import { UserError } from "../../../core/index.ts";
import { countModel } from "../../../measure/profile/index.ts";
import type { Model, Size } from "../../../onnx/index.ts";
import { type CutPoint, cutPoints } from "./cut-points.ts";

/** Heads that are tried: each is fitted, and its cost measured. */
const MOST = 5;

/** Share of the work behind which too little is left to be saved. */
const LATE = 0.8;

/** A cut and the share of the model's multiply-accumulates that come before it. */
export interface CandidateCut extends CutPoint {
  readonly share: number;
}

/**
 * Of cuts with no work between them the last, whose activations and pools cost nothing more; at most five,
 * spread over the graph. Or those that are named. Sizes are those of a run's inputs. Throws UserError where
 * there are none.
 */
export function candidateCuts(
  model: Model,
  inputs: Readonly<Record<string, readonly number[]>>,
  named?: readonly string[],
): readonly CandidateCut[] {
  const shares = sharesOfWork(model, inputs);
  const cuts = cutPoints(model).map((cut) => ({ ...cut, share: shares[cut.after] ?? 1 }));
  const worth = cuts.filter(
    ({ share }, at) => share > 0 && share <= LATE && cuts[at + 1]?.share !== share,
  );
  if (worth.length === 0) {
    throw new UserError("unsupported", "there is nowhere to leave this model early", {
      hint: "An exit needs a value that alone leads to all that follows, with a fifth of the work behind it.",
    });
  }
  if (named !== undefined) return namedCuts(cuts, named);
  if (worth.length <= MOST) return worth;
  return Array.from({ length: MOST }, (_, at) => {
    return worth[Math.floor(((at + 0.5) * worth.length) / MOST)] as CandidateCut;
  });
}

function namedCuts(
  cuts: readonly CandidateCut[],
  named: readonly string[],
): readonly CandidateCut[] {
  const unknown = named.find((name) => !cuts.some(({ value }) => value === name));
  if (unknown === undefined) return cuts.filter(({ value }) => named.includes(value));
  throw new UserError("usage", `the model cannot be left at "${unknown}"`, {
    hint: `It can at: ${cuts.map(({ value }) => value).join(", ")}.`,
  });
}

/** Share of the work up to each node; by the number of nodes where no work is counted. */
function sharesOfWork(
  model: Model,
  inputs: Readonly<Record<string, readonly number[]>>,
): readonly number[] {
  const nodes = model.graph?.nodes ?? [];
  const { entries } = countModel(model, { inputs });
  const work = new Map(
    entries.flatMap((entry) =>
      entry.kind === "node" ? [[entry.cost.node, amountOf(entry.cost.macs)] as const] : [],
    ),
  );
  const total = [...work.values()].reduce((sum, macs) => sum + macs, 0);
  let before = 0;
  return nodes.map((node, at) => {
    before += work.get(node) ?? 0;
    return total === 0 ? (at + 1) / nodes.length : before / total;
  });
}

const amountOf = (macs: Size | null): number => (typeof macs === "number" ? macs : 0);
