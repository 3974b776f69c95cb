// Whether a program that uses one model can use the other in its place.

import type { Port } from "../../../engine/index.ts";

/** Inputs and outputs of a model. */
interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** What differs between two models' inputs and outputs, in words; `oneRow` allows a batch of one for any. */
export function portDifferences(before: Ports, after: Ports, oneRow = false): readonly string[] {
  return (["inputs", "outputs"] as const).flatMap((side) => {
    const [old, fresh] = [before[side], after[side]];
    const names = (ports: readonly Port[]): string => ports.map(({ name }) => name).join(", ");
    if (names(old) !== names(fresh)) return [`${side} were ${names(old)}, are ${names(fresh)}`];
    return old.flatMap((port, at) => {
      const fault = differenceOf(port, fresh[at] as Port, oneRow);
      return fault === null ? [] : [`${side.slice(0, -1)} "${port.name}" ${fault}`];
    });
  });
}

function differenceOf(before: Port, after: Port, oneRow: boolean): string | null {
  if (before.dataType !== after.dataType) return `was ${before.dataType}, is ${after.dataType}`;
  // The file may say less than it did, as when a shape is only known at run time.
  if (before.dims === null || after.dims === null) return null;
  if (before.dims.length !== after.dims.length) {
    return `had ${before.dims.length} axes, has ${after.dims.length}`;
  }
  const axis = before.dims.findIndex((size, at) => {
    const other = after.dims?.[at];
    if (typeof size === "number") return typeof other === "number" && other !== size;
    return typeof other === "number" && !(oneRow && at === 0 && other === 1);
  });
  if (axis === -1) return null;
  const shown = (size: number | string | null | undefined): string => `${size ?? "open"}`;
  return `axis ${axis} was ${shown(before.dims[axis])}, is ${shown(after.dims[axis])}`;
}
