// Channels, heads and groups taken out of a model.

export type { Member, PruningGroup, PruningGroups } from "./groups.ts";
export type { Importance } from "./importance.ts";
export {
  type PruneOptions,
  type PrunePass,
  type PruneResult,
  prune,
  pruningGroups,
} from "./prune.ts";
export type { Scope } from "./select.ts";
export {
  pruningSensitivity,
  ratiosWithin,
  type SensitivityOptions,
  type SensitivityRow,
} from "./sensitivity.ts";
