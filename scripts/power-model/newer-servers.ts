// The shipped model against servers published from 2023 on, none of which it was fitted on: five
// generations newer, but with idle and full-load power alone.

import { mean } from "../../src/core/index.ts";
import type { PowerModel } from "../../src/measure/estimate/coefficients.ts";
import { serverPower } from "../../src/measure/estimate/server-power.ts";
import type { SummaryServer } from "./spec-summary.ts";

export interface NewerScore {
  readonly servers: number;
  readonly error: number;
  /** Share of the measured powers inside the stated interval. */
  readonly covered: number;
}

const NEWER = /^(sapphire|emerald|granite)-rapids$|^sierra-forest$|^zen[45]c?$/;

/** Servers of the summary that are newer than those fitted on, with all that the model needs. */
export function newerThanFit(
  summary: readonly SummaryServer[],
): readonly (SummaryServer & { readonly tdp: number })[] {
  return summary.flatMap((server) => {
    const known = server.tdp !== null && server.memoryGB > 0 && server.threads >= 32;
    const newer = server.published >= 2023 && NEWER.test(server.microarchitecture ?? "");
    return known && newer && server.tdp !== null ? [{ ...server, tdp: server.tdp }] : [];
  });
}

/** Error and coverage at idle and at full load. */
export function newerServers(
  model: PowerModel,
  summary: readonly SummaryServer[],
): Record<"idle" | "full", NewerScore> {
  const tested = newerThanFit(summary);
  const score = (load: number, measured: (server: SummaryServer) => number): NewerScore => {
    const pairs = tested.map((server) => ({
      truth: measured(server),
      estimate: serverPower(model, server, load),
    }));
    return {
      servers: pairs.length,
      error: mean(pairs.map(({ truth, estimate }) => Math.abs(estimate.value / truth - 1))),
      covered: mean(
        pairs.map(({ truth, estimate }) =>
          truth >= estimate.low && truth <= estimate.high ? 1 : 0,
        ),
      ),
    };
  };
  return {
    idle: score(0, (server) => server.idleWatts),
    full: score(1, (server) => server.fullWatts),
  };
}
