// A recorded run as a workload for the peers, and its own figures in their terms.

import type { Card, Component } from "../../core/card.ts";
import { type Host, type Joules, joules, UserError } from "../../core/index.ts";
import { findTdp, loadCpuTable } from "../estimate/cpu-table.ts";
import { findGpuRating, loadGpuTable } from "../sensors/gpu-table.ts";
import { answered, type MethodResult, type Term, type TermName, unsupported } from "./method.ts";
import { describedMachine } from "./own.ts";
import { type Counters, type Place, type Workload, workloadOf } from "./workload.ts";

/** What peers need to know of a run. Throws UserError for a run without length. */
export async function workloadOfCard(host: Host, card: Card): Promise<Workload> {
  const { machine, measures, boundary, signal } = card;
  const seconds = measures.duration.value;
  const [cpus, ratings] = [await loadCpuTable(host), await loadGpuTable(host)];
  if (!(seconds > 0)) {
    throw new UserError("invalid-input", `run ${card.id} has no length`, {
      hint: "Choose another run: godwit runs.",
    });
  }
  const { cpu } = machine;
  const used = (measures.cpuTime?.value ?? 0) / (seconds * cpu.threads);
  const place: Place | null =
    signal === undefined
      ? null
      : {
          zone: signal.zone,
          intensity: signal.intensity.value,
          declared: signal.zone === "declared",
          source: signal.rung,
        };
  return workloadOf({
    hours: seconds / 3600,
    machine: machine.virtualization === null ? await describedMachine(host, cpu.name) : "guest",
    cpu: {
      name: cpu.name,
      tdp: findTdp(cpus, cpu.name),
      sockets: cpu.sockets ?? 1,
      cores: cpu.cores ?? null,
      threads: cpu.threads,
      usage: Math.min(used, 1),
      share: 1,
    },
    gpus: machine.gpus.map(({ name }) => ({
      name,
      tdp: findGpuRating(ratings, name)?.tdp ?? null,
      count: 1,
      usage: null,
    })),
    memoryGB: machine.memoryBytes / 1e9,
    place,
    // A default carries the reason why it was taken; what was given has none.
    pue: boundary.pue?.fallbacks.length === 0 ? boundary.pue.value : null,
    counters: countersOf(card.components),
  });
}

/** Energies that sensors measured; null for those that a model answered. */
function countersOf(components: readonly Component[]): Counters {
  const of = (domain: Component["domain"], provider: RegExp): Joules | null => {
    const own = components.filter(
      (one) =>
        one.domain === domain && provider.test(one.provider) && one.energy.method !== "estimated",
    );
    return own.length === 0 ? null : joules(own.reduce((sum, { energy }) => sum + energy.value, 0));
  };
  return { package: of("cpu", /rapl/), dram: of("memory", /rapl/), gpu: of("gpu", /./) };
}

const TERM_OF: Readonly<Record<Component["domain"], TermName>> = {
  cpu: "cpu",
  gpu: "gpu",
  memory: "memory",
  machine: "supply",
  board: "supply",
  storage: "storage",
  network: "network",
};

/** What the card says, told as a peer would: terms, PUE, energy, emissions. */
export function resultOfCard(card: Card): MethodResult {
  const { measures, boundary, components, signal } = card;
  const energy = measures.energy?.[boundary.headline] ?? measures.energy?.gross;
  if (energy === undefined) {
    throw new UserError("invalid-input", `run ${card.id} has no energy to compare`, {
      hint: "Choose another run: godwit runs.",
    });
  }
  const pue = boundary.pue?.value ?? 1;
  const terms = components.map((component): Term => {
    const own = boundary.headline === "gross" ? component.energy : component.attributed;
    const { value, method } = own ?? component.energy;
    const basis = `${component.provider}, ${method}`;
    return { name: TERM_OF[component.domain], energy: answered(value, { formula: basis, basis }) };
  });
  const inside = terms.reduce(
    (sum, { energy: own }) => sum + (own.status === "answered" ? own.value : 0),
    0,
  );
  const rest = energy.value / pue - inside;
  const emissions = measures.emissions;
  return {
    terms:
      rest > energy.value / 100
        ? [
            ...terms,
            {
              name: "supply",
              energy: answered(joules(rest), {
                formula: "rest of the machine",
                basis: "supply and board",
              }),
            },
          ]
        : terms,
    factors: [{ name: "PUE", value: pue, basis: `PUE ${pue}`, constants: [] }],
    energy: answered(energy.value, {
      formula: `${boundary.headline} energy of the run`,
      basis: energy.method,
    }),
    intensity:
      signal === undefined
        ? unsupported("the run has no carbon intensity")
        : answered(signal.intensity.value, {
            formula: signal.rung,
            basis: `${signal.intensity.value} gCO2e/kWh, ${signal.rung}`,
          }),
    emissions:
      emissions === undefined
        ? unsupported("the run has no emissions")
        : answered(emissions.value, { formula: "emissions of the run", basis: emissions.source }),
    missing: [],
  };
}
