// Dropout (Srivastava et al. 2014): nothing in inference, a random mask once training switches it on.

import type { Features } from "./features.ts";
import type { LayerScope } from "./scope.ts";

/** Keeps a Dropout node of this rate in the graph; training makes use of it. */
export function dropout(at: LayerScope, x: Features, rate: number): Features {
  const ratio = at.graph.constant("float32", { name: "dropout_ratio", dims: [], values: [rate] });
  const value = at.graph.op({ type: "Dropout", name: "dropout" }, [x.value, ratio]);
  return { value, shape: x.shape };
}
