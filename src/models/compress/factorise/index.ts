// Low-rank chains in place of layers.

export { type EvbmfRank, evbmf } from "./evbmf.ts";
export { type FactoriseOptions, factorise } from "./factorise.ts";
export type { MethodName } from "./method.ts";
export type { RankRule } from "./ranks.ts";
