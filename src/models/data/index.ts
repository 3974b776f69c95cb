// Data in: datasets, what is made of them, and the files they come from.

export {
  type Column,
  columnOf,
  type Dataset,
  type FilledColumn,
  memoryDataset,
  readColumn,
  readLabels,
} from "./dataset.ts";
export { readFileBytes } from "./read/fault.ts";
export { decodeIdx } from "./read/idx.ts";
export { unzipped } from "./read/inflate.ts";
export {
  allRows,
  batched,
  hashSplit,
  randomSplit,
  rowsByLabel,
  shuffled,
  stratifiedSplit,
} from "./rows.ts";
export {
  type ColumnMap,
  concat,
  mapColumn,
  type Normalisation,
  normalise,
  selectColumns,
  subset,
} from "./views.ts";
