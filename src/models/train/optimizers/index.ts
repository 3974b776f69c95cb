// The optimisers there are.

export { type AdagradOptions, adagrad } from "./adagrad.ts";
export { type AdamOptions, adam, adamW } from "./adam.ts";
export { type LionOptions, lion } from "./lion.ts";
export type { Optimizer, Slot, Update, Updated } from "./optimizer.ts";
export { type RmsPropOptions, rmsProp } from "./rms-prop.ts";
export { type SgdOptions, sgd } from "./sgd.ts";
