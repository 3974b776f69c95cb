// Dense linear algebra in double precision: products on the engine, small factorisations beside it.

export { cholesky, solveCholesky, solveLower, solveLowerTransposed } from "./cholesky.ts";
export { type LeastSquares, leastSquares } from "./least-squares.ts";
export {
  frobeniusNorm,
  identity,
  type Matrix,
  matrix,
  transpose,
} from "./matrix.ts";
export { createProducts, type Products, type Transposed } from "./products.ts";
export { type Qr, qr } from "./qr.ts";
export { type RandomisedOptions, type RandomisedSvd, randomisedSvd } from "./randomised-svd.ts";
export { type Svd, svd } from "./svd.ts";
export { type Eigen, symmetricEigen } from "./symmetric-eigen.ts";
