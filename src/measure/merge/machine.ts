// The machines of several runs as one entry of a card: counts add up, what differs is said to.

import type { Card, Component, Machine } from "../../core/card.ts";
import { addFigures } from "./add.ts";
import { claimOf, unionEnergy } from "./overlap.ts";

/** One machine, or all of them together. */
export function machineOf(cards: readonly Card[]): Machine {
  const machines = [...new Map(cards.map(({ machine }) => [machine.id, machine])).values()];
  const [first] = machines;
  if (first === undefined) throw new RangeError("a merge of no runs");
  if (machines.length === 1) return first;
  const total = (of: (machine: Machine) => number) =>
    machines.reduce((sum, machine) => sum + of(machine), 0);
  const one = (of: (machine: Machine) => string): string => {
    const values = new Set(machines.map(of));
    return values.size === 1 ? of(first) : "several";
  };
  return {
    id: machines
      .map(({ id }) => id)
      .sort()
      .join("+"),
    platform: one(({ platform }) => platform),
    arch: one(({ arch }) => arch),
    release: one(({ release }) => release),
    cpu: {
      name: counted(machines.map(({ cpu }) => cpu.name)),
      threads: total(({ cpu }) => cpu.threads),
    },
    memoryBytes: total(({ memoryBytes }) => memoryBytes),
    virtualization: one(({ virtualization }) => virtualization ?? "") || null,
    gpus: machines.flatMap(({ gpus }) => gpus),
    machines: machines.length,
  };
}

/** `2 x A + B`. */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => (count === 1 ? name : `${count} x ${name}`))
    .join(" + ");
}

/** A device each, once; named with its machine where there are several. */
export function componentsOf(cards: readonly Card[]): Component[] {
  const several = new Set(cards.map(({ machine }) => machine.id)).size > 1;
  const groups = new Map<string, { readonly card: Card; readonly component: Component }[]>();
  for (const card of cards) {
    for (const component of card.components) {
      const key = JSON.stringify([card.machine.id, component.domain, component.device]);
      groups.set(key, [...(groups.get(key) ?? []), { card, component }]);
    }
  }
  return [...groups.values()].map((group) => {
    const [first] = group;
    if (first === undefined) throw new RangeError("a group of no components");
    const { domain, device, provider } = first.component;
    const claims = group.map(({ card, component }) => claimOf(card, component.energy));
    const shares = group.map(({ component }) => component.attributed);
    const known = shares.filter((share) => share !== undefined);
    const energy = unionEnergy(claims, "the device while any of the runs ran");
    const attributed =
      known.length === group.length
        ? addFigures("J", known, "the runs' shares of the device")
        : null;
    return {
      domain,
      device: several ? `${first.card.machine.id.slice(0, 8)} ${device}` : device,
      provider,
      energy,
      ...(attributed === null || attributed.value > energy.value ? {} : { attributed }),
    };
  });
}
