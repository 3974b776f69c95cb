// The local runner as an engine: the store is its queue, and an agent acts on it.

import type { Host } from "../../../core/index.ts";
import type { Engine } from "./engine.ts";
import type { JobStore } from "./store.ts";
import { cancel, hold, type Moment } from "./transitions.ts";

/** The clocks of a host. */
export const momentOf = (host: Pick<Host, "wall" | "monotonic">): Moment => ({
  now: host.wall() / 1000,
  monotonicS: Number(host.monotonic()) / 1e9,
});

/** `lookAround` is one look of an agent, whoever runs it. */
export function localEngine(of: {
  readonly store: JobStore;
  readonly host: Pick<Host, "wall" | "monotonic">;
  readonly lookAround: () => Promise<unknown>;
}): Engine {
  const { store, host, lookAround } = of;
  return {
    name: "local",
    // What is stored as waiting is in the queue.
    submit: async () => {},
    replan: async () => {},
    async hold({ id }) {
      await store.change(id, momentOf(host).now, hold(true));
    },
    async release({ id }) {
      await store.change(id, momentOf(host).now, hold(false));
    },
    async cancel({ id }) {
      const result = await store.change(id, momentOf(host).now, cancel(momentOf(host)));
      if (result?.record.state === "cancelled") await store.forgetEnvironment(id);
    },
    async reconcile() {
      await lookAround();
      return [];
    },
  };
}
