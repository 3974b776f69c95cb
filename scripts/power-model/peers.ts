// What other tools would say of the same servers, by the formulas that they publish. None of them
// was fitted to these rows and most claim components, not the wall, so a part of their error is
// scope; they are here to say what a user gets from each, not to rank their authors.

import { mean } from "../../src/core/index.ts";
import { LOADS, type MeasuredServer, type Server } from "./spec-systems.ts";

export interface Peer {
  readonly name: string;
  readonly source: string;
  /** Watts at a load in 0..1. */
  power(server: Server, load: number): number;
}

/** Share of the TDP at loads, joined by straight lines (B. Davy, Teads Engineering, 2021). */
const TEADS: readonly (readonly [load: number, share: number])[] = [
  [0, 0.12],
  [0.1, 0.32],
  [0.5, 0.75],
  [1, 1.02],
];

function teadsShare(load: number): number {
  for (const [index, [from, low]] of TEADS.entries()) {
    const [to, high] = TEADS[index + 1] ?? [from, low];
    if (load <= to && to > from) return low + ((high - low) * (load - from)) / (to - from);
  }
  return TEADS.at(-1)?.[1] ?? 1;
}

/** Number of modules guessed from a memory size (codecarbon/external/ram.py, version 3). */
function codeCarbonModules(memoryGB: number): number {
  if (memoryGB <= 2) return 1;
  if (memoryGB <= 16) return 2;
  if (memoryGB <= 64) return 4;
  if (memoryGB <= 128) return 8;
  const size = [128, 64, 32, 16, 8, 4].find((candidate) => candidate <= memoryGB / 8) ?? 4;
  return Math.min(Math.ceil(memoryGB / size), 32);
}

/** 5 W a module; the 5th to 8th, 9th to 16th and later ones count 90, 80 and 70 %; at least 10 W. */
function codeCarbonMemory(memoryGB: number): number {
  let total = 0;
  for (let module = 1; module <= codeCarbonModules(memoryGB); module++) {
    total += 5 * (module <= 4 ? 1 : module <= 8 ? 0.9 : module <= 16 ? 0.8 : 0.7);
  }
  return Math.max(total, 10);
}

export const PEERS: readonly Peer[] = [
  {
    name: "CodeCarbon 3",
    source: "TDP (0.1 + 0.9 u^3) and memory modules of 5 W (codecarbon, 2026)",
    power: (server, u) => server.tdp * (0.1 + 0.9 * u ** 3) + codeCarbonMemory(server.memoryGB),
  },
  {
    name: "Green Algorithms",
    source: "TDP u + 0.3725 W/GB (Lannelongue, Grealey & Inouye 2021, doi 10.1002/advs.202100707)",
    power: (server, u) => server.tdp * u + 0.3725 * server.memoryGB,
  },
  {
    name: "Teads curve",
    source: "TDP x Teads curve, as in the Impact Framework (Green Software Foundation)",
    power: (server, u) => server.tdp * teadsShare(u),
  },
  {
    name: "Eco2AI",
    source: "TDP u + 3 W per 8 GB (Budennyy et al. 2022, doi 10.1134/S1064562422060230)",
    power: (server, u) => server.tdp * u + 0.375 * server.memoryGB,
  },
  {
    name: "half TDP",
    source: "0.5 TDP, the constant mode of several trackers",
    power: (server) => 0.5 * server.tdp,
  },
  {
    name: "Boavizta",
    source: "1.33 (TDP x Teads curve + 0.284 W/GB), BoaviztAPI's path for a CPU of known TDP",
    power: (server, u) => 1.33 * (server.tdp * teadsShare(u) + 0.284 * server.memoryGB),
  },
];

export interface PeerScore {
  readonly name: string;
  readonly mape: number;
  readonly bias: number;
}

/** Error of a peer over all servers and loads, relative to the measured power. */
export function scorePeer(peer: Peer, systems: readonly MeasuredServer[]): PeerScore {
  const errors = systems.flatMap((system) =>
    system.watts.map((watts, i) => peer.power(system, LOADS[i] ?? 0) / watts - 1),
  );
  return { name: peer.name, mape: mean(errors.map(Math.abs)), bias: mean(errors) };
}
