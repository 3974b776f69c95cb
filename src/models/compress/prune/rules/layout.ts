// Operators that move elements about: joining, cutting, turning, padding, picking.

import { attributeOf, intOf, intsOf, withoutAttributes } from "../../../../onnx/index.ts";
import { axesOf, withList } from "../axes-of.ts";
import { fromFront, type Relating, type Rule, shapeOf, Unfollowed } from "../relating.ts";

const concat: Rule = {
  relate(at) {
    const [y = ""] = at.node.outputs;
    const rank = shapeOf(at, y).length;
    const along = fromFront(intOf(at.node, "axis", 1), rank);
    let offset = 0;
    for (const x of at.node.inputs) {
      for (let axis = 0; axis < rank; axis++) if (axis !== along) at.same([x, axis], [y, axis]);
      const size = shapeOf(at, x)[along];
      if (typeof size !== "number") throw new Unfollowed(`"${x}" has no fixed size along the axis`);
      const start = offset;
      at.map([x, along], [y, along], (index) => index + start);
      offset += size;
    }
  },
};

const SPLIT_SIZES = { attribute: "split", input: 1 } as const;

const split: Rule = {
  relate(at) {
    const [x = ""] = at.node.inputs;
    const rank = shapeOf(at, x).length;
    const along = fromFront(intOf(at.node, "axis", 0), rank);
    let offset = 0;
    for (const y of at.node.outputs) {
      for (let axis = 0; axis < rank; axis++) if (axis !== along) at.same([x, axis], [y, axis]);
      const size = shapeOf(at, y)[along];
      if (typeof size !== "number") throw new Unfollowed(`"${y}" has no fixed size along the axis`);
      const start = offset;
      at.map([y, along], [x, along], (index) => index + start);
      offset += size;
    }
  },
  rewrite(at) {
    const [x = ""] = at.node.inputs;
    const rank = shapeOf(at, x).length;
    const along = fromFront(intOf(at.node, "axis", 0), rank);
    if (at.kept([x, along]) === null) return at.node;
    const sizes = at.node.outputs.map(
      (y) => at.kept([y, along])?.length ?? Number(shapeOf(at, y)[along]),
    );
    return withList({ ...at, node: withoutAttributes(at.node, "num_outputs") }, SPLIT_SIZES, sizes);
  },
};

/** Start, end and step of each axis that a Slice cuts. */
function cutsOf(at: Pick<Relating, "node" | "integers" | "shape">) {
  const [x = ""] = at.node.inputs;
  const shape = shapeOf(at, x);
  const starts = axesOf(at, { attribute: "starts", input: 1 }) ?? [];
  const ends = axesOf(at, { attribute: "ends", input: 2 }) ?? [];
  const axes = axesOf(at, { attribute: "axes", input: 3 }) ?? starts.map((_, axis) => axis);
  const steps = axesOf(at, { attribute: "", input: 4 }) ?? starts.map(() => 1);
  return axes.map((axis, at_) => ({
    axis: fromFront(axis, shape.length),
    start: starts[at_] ?? 0,
    end: ends[at_] ?? 0,
    step: steps[at_] ?? 1,
  }));
}

const clamp = (value: number, size: number): number =>
  Math.max(0, Math.min(size, value < 0 ? value + size : value));

const slice: Rule = {
  relate(at) {
    const [x = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const shape = shapeOf(at, x);
    const cuts = new Map(cutsOf(at).map((cut) => [cut.axis, cut]));
    for (const [axis, size] of shape.entries()) {
      const cut = cuts.get(axis);
      if (cut === undefined) at.same([x, axis], [y, axis]);
      else if (typeof size === "number" && cut.step === 1) {
        const start = clamp(cut.start, size);
        at.map([y, axis], [x, axis], (index) => index + start);
      } else {
        for (const value of [x, y]) at.freeze([value, axis], "it is cut in steps");
      }
    }
  },
  rewrite(at) {
    const [x = ""] = at.node.inputs;
    const shape = shapeOf(at, x);
    const cuts = cutsOf(at);
    if (cuts.every(({ axis }) => at.kept([x, axis]) === null)) return at.node;
    const moved = cuts.map(({ axis, start, end }) => {
      const [kept, size] = [at.kept([x, axis]), shape[axis]];
      if (kept === null || typeof size !== "number") return { start, end };
      const before = (bound: number): number => kept.filter((index) => index < bound).length;
      return { start: before(clamp(start, size)), end: before(clamp(end, size)) };
    });
    const started = withList(
      at,
      { attribute: "starts", input: 1 },
      moved.map(({ start }) => start),
    );
    return withList(
      { ...at, node: started },
      { attribute: "ends", input: 2 },
      moved.map(({ end }) => end),
    );
  },
};

const transpose: Rule = {
  relate(at) {
    const [x = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const rank = shapeOf(at, x).length;
    const perm = intsOf(at.node, "perm", null) ?? shapeOf(at, x).map((_, axis) => rank - 1 - axis);
    for (const [axis, from] of perm.entries()) at.same([x, from], [y, axis]);
  },
};

const pad: Rule = {
  relate(at) {
    const [x = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const rank = shapeOf(at, x).length;
    const pads = axesOf(at, { attribute: "pads", input: 1 }) ?? [];
    const axes = axesOf(at, { attribute: "", input: 3 }) ?? shapeOf(at, x).map((_, axis) => axis);
    const padded = new Set(
      axes
        .filter((_, index) => (pads[index] ?? 0) !== 0 || (pads[index + axes.length] ?? 0) !== 0)
        .map((axis) => fromFront(axis, rank)),
    );
    for (let axis = 0; axis < rank; axis++) {
      if (!padded.has(axis)) at.same([x, axis], [y, axis]);
      else for (const value of [x, y]) at.freeze([value, axis], "it is padded");
    }
  },
};

const gather: Rule = {
  relate(at) {
    const [data = "", indices = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const [shape, picked] = [shapeOf(at, data), shapeOf(at, indices)];
    const along = fromFront(intOf(at.node, "axis", 0), shape.length);
    at.freeze([data, along], "Gather picks from it by number");
    for (const axis of picked.keys()) {
      at.freeze([indices, axis], "it holds numbers of what Gather picks");
      at.freeze([y, along + axis], "Gather picks it by number");
    }
    for (const axis of shape.keys()) {
      if (axis === along) continue;
      at.same([data, axis], [y, axis < along ? axis : axis + picked.length - 1]);
    }
  },
};

/** Axes of one size before and after are resized by a factor of 1: kept index by index. */
const resize: Rule = {
  relate(at) {
    const [x = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const [from, to] = [shapeOf(at, x), shapeOf(at, y)];
    for (const [axis, size] of from.entries()) {
      const same = axis < 2 && typeof size === "number" && size === to[axis];
      if (same) at.same([x, axis], [y, axis]);
      else for (const value of [x, y]) at.freeze([value, axis], "it is resized");
    }
    const sizes = at.node.inputs[3] ?? "";
    const computed = sizes !== "" && at.integers(sizes) === null;
    if (computed) throw new Unfollowed(`"${sizes}" is computed while it runs`);
  },
  rewrite(at) {
    const [x = "", , , sizes = ""] = at.node.inputs;
    const values = sizes === "" ? null : at.integers(sizes);
    if (values === null) return at.node;
    const axes = intsOf(at.node, "axes", null) ?? values.map((_, axis) => axis);
    const changed = values.map((size, index) => at.kept([x, axes[index] ?? 0])?.length ?? size);
    return withList(at, { attribute: "", input: 3 }, changed);
  },
};

const expand: Rule = {
  relate(at) {
    const [x = "", target = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const [from, to] = [shapeOf(at, x), shapeOf(at, y)];
    const known = at.integers(target) !== null;
    for (const axis of to.keys()) {
      const own = axis + from.length - to.length;
      const same = own >= 0 && from[own] === to[axis];
      if (same && known) at.same([x, own], [y, axis]);
      else {
        at.freeze([y, axis], "Expand makes it");
        if (own >= 0) at.freeze([x, own], "Expand reads it");
      }
    }
  },
  rewrite(at) {
    const [, target = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    const values = at.integers(target);
    if (values === null) return at.node;
    const lead = shapeOf(at, y).length - values.length;
    const changed = values.map((size, axis) =>
      size === 1 ? 1 : (at.kept([y, axis + lead])?.length ?? size),
    );
    return withList(at, { attribute: "", input: 1 }, changed);
  },
};

/** A tensor of one number everywhere, as stored as any other. */
const constantOfShape: Rule = {
  relate(at) {
    if (at.integers(at.node.inputs[0] ?? "") === null) {
      at.freezeValue(at.node.outputs[0] ?? "", "its size is computed while it runs");
    }
  },
  rewrite(at) {
    const [y = ""] = at.node.outputs;
    const sizes = at.integers(at.node.inputs[0] ?? "");
    if (sizes === null || sizes.every((_, axis) => at.kept([y, axis]) === null)) return at.node;
    const changed = sizes.map((size, axis) => at.kept([y, axis])?.length ?? size);
    return { ...at.node, inputs: [at.store(changed)] };
  },
};

/** The sizes that it gives count what is kept; who reads them is looked at before. */
const shape: Rule = {
  relate(at) {
    const [x = ""] = at.node.inputs;
    const shapeHere = at.shape(x);
    const rank = shapeHere?.length ?? 0;
    const whole = attributeOf(at.node, "start") === null && attributeOf(at.node, "end") === null;
    const from = whole ? 0 : fromFront(intOf(at.node, "start", 0), rank);
    const to = whole ? rank : fromFront(intOf(at.node, "end", rank), rank);
    for (let axis = from; axis < to; axis++)
      at.freeze([x, axis], "the graph computes with its size");
  },
};

export const layoutRules: Readonly<Record<string, Rule>> = {
  Concat: concat,
  Split: split,
  Slice: slice,
  Transpose: transpose,
  Pad: pad,
  Gather: gather,
  Resize: resize,
  Upsample: resize,
  Expand: expand,
  ConstantOfShape: constantOfShape,
  Shape: shape,
};
