// Groups of channels: sets of indices that must go together, gathered by the tensors that they touch.

import type { AxisRef } from "./coupling.ts";
import { type FollowedGraph, type Reading, readingKey } from "./followed-graph.ts";
import { type Source, sourcesOf } from "./sources.ts";

/** A stored tensor's axis that a group touches. */
export interface Member {
  readonly tensor: string;
  readonly axis: number;
  readonly source: Source;
  /** The axis' indices of each unit of the group. */
  readonly indices: readonly (readonly number[])[];
  /** What it is to the nodes that read it. */
  readonly readings: readonly Reading[];
}

/** Units that touch the same axes in the same way, of which any number above 0 may stay. */
export interface PruningGroup {
  /** The tensor that makes its channels. */
  readonly name: string;
  /** Number of units: channels, heads, or groups of a convolution. */
  readonly size: number;
  /** One element of each unit's set. */
  readonly sets: readonly number[];
  readonly members: readonly Member[];
  /** Operators and weight shapes around it, sizes of its own axis aside; equal for like groups. */
  readonly topology: string;
  /** Whether a normalisation averages over its channels: removing some changes the others. */
  readonly normalised: boolean;
}

/** An axis of a stored tensor that stays whole. */
interface FrozenAxis {
  readonly tensor: string;
  readonly axis: number;
  readonly reason: string;
}

export interface PruningGroups {
  readonly groups: readonly PruningGroup[];
  readonly frozen: readonly FrozenAxis[];
}

/** The groups of a followed graph, in the order of their tensors. */
export function groupsOf(followed: FollowedGraph): PruningGroups {
  const { coupling, graph, readings } = followed;
  const sources = sourcesOf(graph, followed.integers);
  const touched = new Map<number, Map<string, number[]>>();
  const frozen = new Map<string, FrozenAxis>();
  for (const { value, axis, first, size } of coupling.all()) {
    const key = readingKey([value, axis]);
    if (!sources.has(value)) continue;
    for (let index = 0; index < size; index++) {
      const reason = coupling.frozen(first + index);
      if (reason !== null) {
        if (readings.has(key)) frozen.set(key, { tensor: value, axis, reason });
        continue;
      }
      const set = coupling.setOf(first + index);
      const axes = touched.get(set) ?? new Map<string, number[]>();
      if (axes.size === 0) touched.set(set, axes);
      const indices = axes.get(key) ?? [];
      if (indices.length === 0) axes.set(key, indices);
      indices.push(index);
    }
  }
  const alike = new Map<string, { set: number; axes: ReadonlyMap<string, readonly number[]> }[]>();
  for (const [set, axes] of touched) {
    const key = [...axes]
      .map(([axis, { length }]) => `${axis} x${length}`)
      .toSorted()
      .join("\n");
    const list = alike.get(key) ?? [];
    if (list.length === 0) alike.set(key, list);
    list.push({ set, axes });
  }
  const normalised = new Set(followed.normalised.flatMap((ref) => setsOf(followed, ref)));
  const groups = [...alike.values()].flatMap((units): readonly PruningGroup[] => {
    const [first] = units;
    if (first === undefined || units.length < 2) return [];
    const members = [...first.axes.keys()].map((key): Member => {
      const space = key.indexOf(" ");
      const [axis, tensor] = [Number(key.slice(0, space)), key.slice(space + 1)];
      return {
        tensor,
        axis,
        source: sources.get(tensor) ?? { kind: "filled", number: 0, dims: [] },
        indices: units.map(({ axes }) => axes.get(key) ?? []),
        readings: readings.get(key) ?? [],
      };
    });
    const source = members.find((member) => hasRole(member, "produces")) ?? members[0];
    return [
      {
        name: source?.tensor ?? "",
        size: units.length,
        sets: units.map(({ set }) => set),
        members,
        topology: topologyOf(members),
        normalised: units.some(({ set }) => normalised.has(set)),
      },
    ];
  });
  return {
    // A weight both before and behind is needed: what is removed must be made and be used.
    groups: groups.filter(({ members }) => members.some((member) => hasRole(member, "produces"))),
    frozen: [...frozen.values()],
  };
}

export const hasRole = ({ readings }: Member, role: Reading["role"]): boolean =>
  readings.some((reading) => reading.role === role);

function setsOf({ coupling }: FollowedGraph, ref: AxisRef): readonly number[] {
  const elements = coupling.known(ref);
  if (elements === null) return [];
  return Array.from({ length: elements.size }, (_, i) => coupling.setOf(elements.first + i));
}

function topologyOf(members: readonly Member[]): string {
  return members
    .map(({ axis, source, readings, indices }) => {
      const others = source.dims.filter((_, at) => at !== axis).slice(1);
      const kinds = readings.map(({ node, role }) => `${node.opType} ${role}`).join("+");
      return `${kinds} axis ${axis} of ${source.dims.length} [${others.join(",")}] x${indices[0]?.length}`;
    })
    .toSorted()
    .join("; ");
}
