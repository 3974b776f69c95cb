// What heads cost and save on this machine: models that leave at a head whatever it says, and others that
// never do, run in turns with the model itself. Work on paper does not tell it: an `If` costs some
// microseconds, and on a small network that is more than what is skipped.

import { createSession, type EngineOptions, type Session } from "../../../engine/index.ts";
import type { Model, OperatorTable } from "../../../onnx/index.ts";
import { type CostOptions, measureCosts } from "../../compress/cost/index.ts";
import type { Feeds } from "../../compress/pass.ts";
import type { FittedHeads } from "./fit-heads.ts";
import { exitModel } from "./if-model.ts";
import { NEVER } from "./thresholds.ts";

/** Costs of one head, CPU seconds a sample. */
export interface HeadCost {
  /** Of a sample that leaves at it, all before it included. */
  readonly leave: number;
  /** What a sample that stays pays for it. */
  readonly stay: number;
}

export interface ExitCosts {
  /** Of a sample in the model without exits. */
  readonly base: number;
  /** Of each head, as if it were the only one. */
  readonly heads: readonly HeadCost[];
}

/** No confidence is below it. */
const ALWAYS = -1;

/** Measures all heads. Throws ModelError as `exitModel` does. */
export async function measureExits(
  model: Model,
  { heads, confidence }: Pick<FittedHeads, "heads" | "confidence">,
  of: {
    readonly operators: OperatorTable;
    readonly settings: EngineOptions;
    /** One run's inputs. */
    readonly feeds: Feeds;
    readonly measuring: Pick<CostOptions, "rounds" | "roundTime" | "signal">;
  },
): Promise<ExitCosts> {
  const alone = (at: number, threshold: number): Model => {
    const own = heads.slice(at, at + 1);
    return exitModel({ model, heads: own, confidence, thresholds: [threshold] }, of.operators);
  };
  const models = [model, ...heads.flatMap((_, at) => [alone(at, ALWAYS), alone(at, NEVER)])];
  const sessions: Session[] = [];
  try {
    for (const one of models) sessions.push(await createSession(one, of.settings));
    const measured = await measureCosts(
      sessions.map((session, at) => ({ name: `${at}`, run: () => session.run(of.feeds) })),
      of.measuring,
    );
    const base = measured[0]?.cpu.median ?? 0;
    const ratio = (at: number): number => measured[at]?.ratio.value ?? 1;
    return {
      base,
      heads: heads.map((_, at) => ({
        leave: base * ratio(2 * at + 1),
        stay: base * Math.max(0, ratio(2 * at + 2) - 1),
      })),
    };
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}
