// Waiting for one job of the queue, and running the queue meanwhile when nobody else does.

import { UserError } from "../core/index.ts";
import { printable } from "../report/columns.ts";
import {
  type Agent,
  isFinal,
  type JobRecord,
  type JobStore,
} from "../systems/schedule/jobs/index.ts";
import { holdQueue } from "./agent-holder.ts";
import { agentOn, capacityOf } from "./agent-ports.ts";
import type { CliContext } from "./context.ts";

/** Milliseconds between two looks at whether anything was written. */
const POLL_MS = 1000;
/** Milliseconds between two looks at whether supervised jobs still are. */
const LOSS_MS = 5000;

/**
 * Has an agent look whenever there is reason to, until `isOver`. Between looks one number is read from the
 * store each second, and nothing else is done.
 */
export async function runAgent(
  { host }: Pick<CliContext, "host">,
  of: {
    readonly agent: Agent;
    readonly store: Pick<JobStore, "version">;
    readonly refreshS: number;
    readonly isOver: (open: number) => boolean | Promise<boolean>;
    readonly signal: AbortSignal;
    readonly onFault: (error: unknown) => void;
  },
): Promise<void> {
  const { agent, store, isOver, signal, onFault } = of;
  const seconds = (): number => Number(host.monotonic()) / 1e9;
  let refreshing: Promise<void> | null = null;
  let [version, nextAt, lookedAt, askedAt, isDue] = [-1, 0, 0, -Infinity, true];
  while (!signal.aborted) {
    try {
      if (isDue || store.version() !== version || host.wall() / 1000 >= nextAt) {
        version = store.version();
        isDue = false;
        const looked = await agent.tick();
        nextAt = looked.nextAt;
        if (await isOver(looked.open)) break;
      }
      if (seconds() - lookedAt >= LOSS_MS / 1000) {
        lookedAt = seconds();
        isDue = await agent.hasLoss();
      }
      if (refreshing === null && seconds() - askedAt >= Math.min(of.refreshS, 60)) {
        askedAt = seconds();
        // Not waited for: a slow service must not make a job late.
        refreshing = agent.refresh().then(
          (isNew) => {
            isDue ||= isNew;
            refreshing = null;
          },
          (error: unknown) => {
            refreshing = null;
            onFault(error);
          },
        );
      }
    } catch (error) {
      // A locked file, a full disk: it is tried again.
      onFault(error);
      isDue = true;
    }
    await host.sleep(POLL_MS, signal).catch(() => {});
  }
}

/** Waits until a job has ended; runs the queue meanwhile when nobody else does. */
export async function waitForJob(
  context: CliContext,
  of: { readonly store: JobStore; readonly id: string; readonly ledger: string | undefined },
): Promise<JobRecord> {
  const { store, id, ledger } = of;
  const current = async (): Promise<JobRecord> => {
    const found = await store.get(id);
    if (found !== null) return found;
    throw new UserError("ledger", `job ${id} is gone`, { hint: "Somebody removed the queue." });
  };
  while (!isFinal(await current())) {
    const held = await holdQueue(context, store);
    if ("holder" in held) {
      await context.host.sleep(POLL_MS);
      continue;
    }
    try {
      await runHere(context, { store, ledger, isOver: async () => isFinal(await current()) });
    } finally {
      await held.leave();
    }
  }
  return current();
}

async function runHere(
  context: CliContext,
  of: {
    readonly store: JobStore;
    readonly ledger: string | undefined;
    readonly isOver: () => Promise<boolean>;
  },
): Promise<void> {
  const refreshS = 300;
  const say = (text: string): void => void context.stderr.write(`${printable(text)}\n`);
  const capacity = capacityOf(context, { concurrency: 1, gpus: 0 });
  const agent = agentOn(context, { ...of, capacity, refreshS, onEvent: say });
  await runAgent(context, {
    ...{ agent, store: of.store, refreshS, isOver: of.isOver },
    signal: new AbortController().signal,
    onFault: (error) => say(`godwit: ${String(error)}`),
  });
}
