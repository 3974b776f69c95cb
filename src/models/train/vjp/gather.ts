// Gradients of reading and writing by index: what was read adds to where it was read from.

import { intOf, textOf } from "../../../onnx/index.ts";
import type { Rules, Site, Vjp } from "./rule.ts";
import { axisFrom, range, sizeOf, type Value } from "./writer.ts";

/** Slices of dy along an axis, added up at their indices along an axis of `size`. */
export function scatterAlong(
  { write }: Pick<Site, "write">,
  dy: Value,
  of: { readonly axis: number; readonly indices: Value; readonly size: number },
): Value {
  const { axis, indices, size } = of;
  const rank = dy.dims.length;
  const toFront = [axis, ...range(0, rank).filter((at) => at !== axis)];
  const updates = write.transpose(dy, toFront);
  const rows = write.reshape(indices, [sizeOf(indices.dims), 1]);
  const zeros = write.full([size, ...updates.dims.slice(1)], 0, dy.dataType);
  const attributes = { reduction: "add" };
  const added = write.op("ScatterND", [zeros, rows, updates], { dims: zeros.dims, attributes });
  const back = range(0, rank).map((at) => toFront.indexOf(at));
  return write.transpose(added, back);
}

/** Embeddings and other lookups; indices may repeat. */
const gather: Vjp = (site) => [
  () => {
    const { write, dy } = site;
    const { dims } = site.input(0);
    const indices = site.input(1);
    const axis = axisFrom(intOf(site.node, "axis", 0), dims.length);
    const flat = [...dims.slice(0, axis), sizeOf(indices.dims), ...dims.slice(axis + 1)];
    const one = write.reshape(dy, flat);
    return scatterAlong(site, one, { axis, indices: asLong(site, indices), size: dims[axis] ?? 0 });
  },
];

const asLong = ({ write }: Site, indices: Value): Value => write.cast(indices, "int64");

const gatherElements: Vjp = (site) => [
  () => {
    const { write, dy, node } = site;
    const x = site.input(0);
    const zeros = write.full(x.dims, 0, x.dataType);
    const attributes = { axis: intOf(node, "axis", 0), reduction: "add" };
    return write.op("ScatterElements", [zeros, site.input(1), dy], { dims: x.dims, attributes });
  },
];

const gatherND: Vjp = (site) => {
  requireNoBatch(site);
  return [
    () => {
      const { write, dy } = site;
      const x = site.input(0);
      const zeros = write.full(x.dims, 0, x.dataType);
      const attributes = { reduction: "add" };
      return write.op("ScatterND", [zeros, site.input(1), dy], { dims: x.dims, attributes });
    },
  ];
};

function requireNoBatch(site: Site): void {
  if (intOf(site.node, "batch_dims", 0) === 0) return;
  throw site.fault("it has batch_dims", "Write it with Gather or GatherElements.");
}

/** Written elements come from the updates, the others from the data; sums come from both. */
const scatter =
  (read: (site: Site) => Value): Vjp =>
  (site) => {
    const reduction = textOf(site.node, "reduction", "none");
    if (reduction !== "none" && reduction !== "add") {
      throw site.fault(`its reduction is ${reduction}`, "Only none and add have a rule.");
    }
    return [
      () => {
        if (reduction === "add") return site.dy;
        const { write, node } = site;
        const updates = site.input(2);
        const zeros = write.full(updates.dims, 0, updates.dataType);
        const attributes =
          node.opType === "ScatterElements" ? { axis: intOf(node, "axis", 0) } : {};
        const operands = [site.dy, site.input(1), zeros];
        return write.op(node.opType, operands, { dims: site.dy.dims, attributes });
      },
      null,
      () => read(site),
    ];
  };

const scatterElements = scatter((site) => {
  const attributes = { axis: intOf(site.node, "axis", 0) };
  const { dims } = site.input(2);
  return site.write.op("GatherElements", [site.dy, site.input(1)], { dims, attributes });
});

const scatterND = scatter((site) => {
  const { dims } = site.input(2);
  return site.write.op("GatherND", [site.dy, site.input(1)], { dims });
});

export const gathers: Rules = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
};
