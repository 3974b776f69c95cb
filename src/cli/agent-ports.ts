// What an agent is made of on this machine: the store beside the ledger, real processes, real clocks,
// forecasts from where each job's own came from.

import { UserError } from "../core/index.ts";
import { forecasterNamed, type Signal } from "../systems/schedule/index.ts";
import {
  type Agent,
  type Capacity,
  createAgent,
  type ForecastSource,
  type JobStore,
  jobProcesses,
  momentOf,
} from "../systems/schedule/jobs/index.ts";
import { createSlurmAgent } from "../systems/schedule/slurm/index.ts";
import type { CliContext } from "./context.ts";
import { ledgerOf } from "./open-ledger.ts";
import { chosenSignal } from "./plan-signal.ts";
import { slurmOn } from "./slurm-ports.ts";

export interface AgentSetting {
  readonly store: JobStore;
  readonly ledger: string | undefined;
  readonly capacity: Capacity;
  readonly refreshS: number;
  readonly only?: string;
  readonly onEvent: (text: string) => void;
}

/** Seconds from a decision until a job runs: a look each second, a Node process, the meter. */
const MARGIN_S = 3;
const GRACE_S = 10;

/** Looks after the jobs of every engine. */
export function agentOn(context: CliContext, setting: AgentSetting): Agent {
  const { store, refreshS, onEvent } = setting;
  const slurm = createSlurmAgent({
    ...{
      ...slurmOn(context, setting),
      store,
      host: context.host,
      refreshS,
      pollS: POLL_S,
      onEvent,
    },
    moment: () => momentOf(context.host),
    forecastOf: (source, window) => forecastOf(context, source, window),
  });
  return together([localAgentOn(context, setting), slurm]);
}

/** Seconds between two looks at a cluster: its controller answers everybody. */
const POLL_S = 15;

function together(agents: readonly Agent[]): Agent {
  return {
    async tick() {
      const looks = [];
      for (const agent of agents) looks.push(await agent.tick());
      return {
        nextAt: Math.min(...looks.map(({ nextAt }) => nextAt)),
        open: looks.reduce((sum, { open }) => sum + open, 0),
      };
    },
    async refresh() {
      let isNew = false;
      for (const agent of agents) isNew = (await agent.refresh()) || isNew;
      return isNew;
    },
    async hasLoss() {
      for (const agent of agents) if (await agent.hasLoss()) return true;
      return false;
    },
  };
}

function localAgentOn(context: CliContext, setting: AgentSetting): Agent {
  const { host } = context;
  const { store } = setting;
  const place = ledgerOf(context, setting.ledger);
  // A server's address goes by the environment: process lists show arguments to everybody.
  const ledger =
    place.server === undefined ? place.folder : (setting.ledger ?? context.env["GODWIT_LEDGER"]);
  return createAgent({
    store,
    processes: jobProcesses({
      host,
      folder: place.folder,
      supervisor: ({ id, attempts }) => [
        process.execPath,
        context.program,
        ...["agent", "supervise", id, String(attempts), "--folder", place.folder],
      ],
      env: { GODWIT_LEDGER: ledger },
      environmentOf: async ({ id }) => (await store.environment(id)) ?? {},
    }),
    moment: () => momentOf(host),
    forecastOf: (source, window) => forecastOf(context, source, window),
    capacity: setting.capacity,
    user: process.getuid?.() ?? null,
    refreshS: setting.refreshS,
    marginS: MARGIN_S,
    graceS: GRACE_S,
    ...(setting.only === undefined ? {} : { only: setting.only }),
    onEvent: setting.onEvent,
  });
}

async function forecastOf(
  context: CliContext,
  source: ForecastSource,
  window: { readonly now: number; readonly until: number },
): Promise<Signal> {
  const choice = {
    ...{ signal: source.signal ?? undefined, zone: source.zone ?? undefined },
    ...{ from: source.from ?? undefined, kind: source.kind ?? undefined },
    ...{ basis: source.basis ?? undefined, offline: source.offline },
  };
  const forecaster = source.forecaster === null ? null : forecasterNamed(source.forecaster);
  return (await chosenSignal(context, choice, window, forecaster)).forecast;
}

/** What this machine has; memory and processors as the operating system tells, GPUs as declared. */
export function capacityOf(
  { host }: CliContext,
  options: {
    readonly concurrency: number;
    readonly cpus?: number | undefined;
    readonly memory?: number | undefined;
    readonly gpus: number;
  },
): Capacity {
  if (host.platform === "win32")
    throw new UserError("unsupported", "jobs cannot be run on Windows", {
      hint: "godwit plan says when to start; WSL runs jobs.",
    });
  return {
    jobs: options.concurrency,
    cpus: options.cpus ?? host.facts.threads,
    memoryBytes: options.memory ?? host.facts.memoryBytes,
    gpus: options.gpus,
  };
}
