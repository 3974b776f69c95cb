// Data in: datasets, what is made of them, and the files they come from.

export {
  type Baseline,
  type CatalogueEntry,
  type CatalogueFile,
  datasetFolders,
  downloadFolder,
  findEntry,
  locateEntry,
  readCatalogue,
} from "./catalogue/entry.ts";
export { loadEntry } from "./catalogue/load-entry.ts";
export {
  checkClassCount,
  type DataFinding,
  type InputColumns,
  inspectDataset,
  matchInputs,
  type Purpose,
  refuse,
} from "./check.ts";
export {
  type Column,
  columnOf,
  type Dataset,
  type FilledColumn,
  memoryDataset,
  readColumn,
  readLabels,
} from "./dataset.ts";
export type { ImagePreprocessing } from "./images/preprocess.ts";
export { resizedImages } from "./images/resized.ts";
export {
  accuracy,
  agreement,
  averagePrecision,
  type BootstrapOptions,
  binaryAccuracy,
  bootstrapInterval,
  type CtcOptions,
  characterErrorRate,
  cosine,
  ctcGreedy,
  exactMatch,
  f1,
  type Interval,
  levenshtein,
  METRICS,
  type Metric,
  majorityClass,
  meanAbsoluteError,
  meanAveragePrecision,
  meanSquaredError,
  meanTarget,
  metricNamed,
  peakSignalToNoise,
  perplexity,
  type Quality,
  type Statistic,
  signalToNoise,
  topK,
  wilsonInterval,
  wordErrorRate,
} from "./metrics/index.ts";
export { onlySplit, openDataset } from "./open-dataset.ts";
export type { OpenOptions } from "./open-file.ts";
export { decodeIdx } from "./read/idx.ts";
export { decodeNpy, readNpz } from "./read/npy.ts";
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
  type DatasetSplits,
  type Shares,
  type SplitName,
  splitNamed,
  type TrainingParts,
  trainingParts,
} from "./splits.ts";
export {
  type ColumnMap,
  concat,
  mapColumn,
  type Normalisation,
  normalise,
  selectColumns,
  subset,
} from "./views.ts";
