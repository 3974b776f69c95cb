// Sizes that the caller knows, written into the model.

import { type StaticDims, withStaticDims } from "../../../engine/index.ts";
import type { Pass } from "../pass.ts";

/** Throws UserError for names and sizes that do not fit the model. */
export const fixDims: Pass<StaticDims> = {
  name: "fix-dims",
  fidelity: "exact",
  async apply(model, _context, dims) {
    const sizes = Object.entries({ ...dims.dimensions, ...dims.shapes });
    const changes = sizes.map(([subject, size]) => ({
      pass: "fix-dims",
      subject,
      what: `is ${Array.isArray(size) ? `[${size.join(", ")}]` : size}`,
    }));
    return { model: withStaticDims(model, dims), changes, refused: [] };
  },
};
