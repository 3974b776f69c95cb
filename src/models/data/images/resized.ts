// Pictures that are stored as numbers, brought to another size when a batch asks for them.

import { columnOf, type Dataset } from "../dataset.ts";
import { mapColumn } from "../views.ts";
import { resize } from "./resize.ts";

/**
 * A column of pictures, [channels, height, width] a sample, at another size and as float32. Throws
 * RangeError for samples that are none or differ in size.
 */
export function resizedImages(
  dataset: Dataset,
  name: string,
  { width, height }: { readonly width: number; readonly height: number },
): Dataset {
  const { classes: _, ...column } = columnOf(dataset, name);
  const [channels, rows, columns] = column.shape ?? [];
  if (column.shape?.length !== 3 || !channels || !rows || !columns) {
    throw new RangeError(`pictures of [${column.shape ?? "any size"}] in column ${name}`);
  }
  return mapColumn(dataset, name, {
    column: { ...column, dataType: "float32", shape: [channels, height, width] },
    map({ dims: [count = 0], data }) {
      const pixels =
        data instanceof Float32Array
          ? data
          : Float32Array.from(data as ArrayLike<number | bigint>, Number);
      // To the filter, a batch is so many planes one below the other.
      const planes = { channels: count * channels, width: columns, height: rows, data: pixels };
      const { data: resized } = resize(planes, width, height);
      return { dataType: "float32", dims: [count, channels, height, width], data: resized };
    },
  });
}
