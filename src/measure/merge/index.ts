// Runs of many hosts or ranks as one. The public face.

export { type MergeOptions, mergeCards } from "./merge.ts";
