// Searching for the recipe that makes a model cost least within a budget of quality.

export type { Candidate as SearchCandidate, Objective } from "./candidate.ts";
export { memoryStore, type Store, sha256 } from "./memo.ts";
export { PASSES, type PassName } from "./passes.ts";
export type { Allowed } from "./proposing.ts";
export { applyRecipe, parseRecipe, type Recipe, recipeOf, recipeText } from "./recipe.ts";
export { type SearchResult, search } from "./search.ts";
export type { SearchEvent, SearchOptions } from "./search-options.ts";
