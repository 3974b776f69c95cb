// Which process holds the queue, and taking it.

import { isGone } from "../measure/run/liveness.ts";
import {
  type JobStore,
  ownIdentity,
  type ProcessIdentity,
} from "../systems/schedule/jobs/index.ts";
import type { CliContext } from "./context.ts";

const ROLE = "agent";

/** The process that holds the queue; null when none does. */
export async function agentHolder(
  { host }: CliContext,
  store: JobStore,
): Promise<ProcessIdentity | null> {
  const text = await store.roles.holderOf(ROLE);
  const holder = text === null ? null : identityOf(text);
  return holder === null || (await isGone(host, holder)) ? null : holder;
}

function identityOf(text: string): ProcessIdentity | null {
  try {
    const { pid, pidStart } = JSON.parse(text) as Partial<ProcessIdentity>;
    return typeof pid === "number" ? { pid, pidStart: pidStart ?? null } : null;
  } catch {
    return null;
  }
}

/** Takes the queue. Gives back what leaves it, or who has it. */
export async function holdQueue(
  context: CliContext,
  store: JobStore,
): Promise<{ readonly leave: () => Promise<void> } | { readonly holder: ProcessIdentity }> {
  const self = JSON.stringify(await ownIdentity(context.host));
  const alive = await agentHolder(context, store);
  const isAlive = (text: string): boolean =>
    alive !== null &&
    identityOf(text)?.pid === alive.pid &&
    identityOf(text)?.pidStart === alive.pidStart;
  const before = await store.roles.holderOf(ROLE);
  // Somebody who took it since it was looked at is alive.
  const holder = await store.roles.takeRole(ROLE, self, (text) => text !== before || isAlive(text));
  if (holder !== null) return { holder: identityOf(holder) ?? { pid: 0, pidStart: null } };
  return { leave: () => store.roles.leaveRole(ROLE, self) };
}
