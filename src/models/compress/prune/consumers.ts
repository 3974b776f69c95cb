// Layers that read a group's channels, with what least squares needs to know of them.

import type { Graph } from "../../../onnx/index.ts";
import { indexGraph } from "../../../onnx/index.ts";
import { type Layer, layersOf } from "../layer.ts";
import type { PruningGroup } from "./groups.ts";

/** A layer behind a group; its columns are those of its weight as a matrix [inputs x window, outputs]. */
export interface Consumer {
  readonly layer: Layer;
  /** Rows of the weight's matrix that each unit of the group stands for. */
  readonly rows: readonly (readonly number[])[];
}

/** Consumers of each group that are layers with a weight of their own. */
export function consumersOf(
  graph: Graph,
  groups: readonly PruningGroup[],
): readonly (readonly Consumer[])[] {
  const layers = new Map(layersOf(indexGraph(graph)).layers.map((layer) => [layer.node, layer]));
  return groups.map(({ members }) =>
    members.flatMap(({ tensor, readings, indices }) =>
      readings.flatMap(({ node, role }): readonly Consumer[] => {
        const layer = layers.get(node);
        if (role !== "consumes" || layer === undefined || layer.weightName !== tensor) return [];
        const positions = layer.window.reduce((product, size) => product * size, 1);
        const rows = indices.map((own) =>
          own.flatMap((index) =>
            Array.from({ length: positions }, (_, at) => index * positions + at),
          ),
        );
        return [{ layer, rows }];
      }),
    ),
  );
}
