// Single weights set to zero, and stored as such.

export { cubicSparsity, type Pattern } from "./scores.ts";
export { type SparsifyOptions, sparsify } from "./sparsify.ts";
export { storeSparse } from "./store-sparse.ts";
