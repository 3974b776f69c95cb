// From the energy of components to that of the plug: what the power supply loses and what board,
// disks and fans draw. Used only where no sensor and no model at the wall has answered.
//
// Desktop: efficiency 0.85 and 40 W, fitted on the 318 metered runs of one desktop published with
// "Ground-Truthing AI Energy Consumption" (arXiv 2509.22092), where it is within 5.4 % in sample and
// 4.1 to 8.6 % when fitted on two kinds of load and tested on the third. Laptop and server are not
// validated against any meter and have wider intervals.

import { exact, figure, withError, Z90 } from "../../core/index.ts";
import type { WallModel } from "../run/record.ts";
import type { MachineClass } from "./machine-class.ts";

interface Supply {
  /** Share of the plug's energy that reaches the components. */
  readonly efficiency: number;
  /** Draw beside the components as a share of theirs. */
  readonly share: number;
  /** Draw beside the components, watts, and its standard deviation. */
  readonly base: number;
  readonly baseError: number;
  /** Relative standard deviation of the whole. */
  readonly error: number;
  readonly source: string;
}

const SUPPLIES: Readonly<Record<Exclude<MachineClass, "guest">, Supply>> = {
  desktop: {
    efficiency: 0.85,
    share: 0,
    base: 40,
    baseError: 20,
    error: 0.1,
    source: "desktop: 85 % efficient supply and 40 W board, fitted on one metered desktop",
  },
  laptop: {
    efficiency: 0.88,
    share: 0,
    base: 5,
    baseError: 3,
    error: 0.1,
    source: "laptop: 88 % efficient supply and 5 W board, screen excluded; not validated",
  },
  server: {
    efficiency: 0.92,
    share: 0.15,
    base: 0,
    baseError: 0,
    error: 0.2,
    source: "server: 92 % efficient supply, 15 % for board and fans; not validated",
  },
};

/**
 * The wall model of a class of machines; null for a guest, whose supply is not its own and whose
 * power is modelled at the wall already.
 */
export function wallModelOf(machine: MachineClass): WallModel | null {
  if (machine === "guest") return null;
  const { efficiency, share, base, baseError, error, source } = SUPPLIES[machine];
  const origin = { method: "estimated", source } as const;
  const spread = Z90 * baseError;
  return {
    factor: withError("1", 1 / efficiency + share, error, origin),
    base:
      base === 0
        ? exact("W", 0, origin)
        : figure("W", base, { low: Math.max(base - spread, 0), high: base + spread }, origin),
  };
}
