// A dense matrix of doubles.

/** Row-major: element (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** A matrix over the elements, row by row. Throws RangeError when their number does not fit. */
export function matrix(rows: number, columns: number, elements: ArrayLike<number>): Matrix {
  if (elements.length !== rows * columns) {
    throw new RangeError(`${elements.length} elements for ${rows} x ${columns}`);
  }
  const data = elements instanceof Float64Array ? elements : Float64Array.from(elements);
  return { rows, columns, data };
}

export const zeros = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  data: new Float64Array(rows * columns),
});

export function identity(size: number): Matrix {
  const result = zeros(size, size);
  for (let i = 0; i < size; i++) result.data[i * size + i] = 1;
  return result;
}

/** The transpose, tile by tile to spare the cache. */
export function transpose({ rows, columns, data }: Matrix): Matrix {
  const result = new Float64Array(data.length);
  const tile = 32;
  for (let top = 0; top < rows; top += tile) {
    for (let left = 0; left < columns; left += tile) {
      const [bottom, right] = [Math.min(top + tile, rows), Math.min(left + tile, columns)];
      for (let i = top; i < bottom; i++) {
        for (let j = left; j < right; j++) result[j * rows + i] = data[i * columns + j] ?? 0;
      }
    }
  }
  return { rows: columns, columns: rows, data: result };
}

/** The leading columns. */
export function leadingColumns({ rows, columns, data }: Matrix, count: number): Matrix {
  if (count === columns) return { rows, columns, data };
  const result = zeros(rows, count);
  for (let i = 0; i < rows; i++) {
    result.data.set(data.subarray(i * columns, i * columns + count), i * count);
  }
  return result;
}

/** The rows as views. */
export const rowsOf = ({ rows, columns, data }: Matrix): readonly Float64Array[] =>
  Array.from({ length: rows }, (_, i) => data.subarray(i * columns, (i + 1) * columns));

/** A matrix of copies of these rows. */
export function fromRows(rows: readonly Float64Array[], columns: number): Matrix {
  const result = zeros(rows.length, columns);
  for (const [i, row] of rows.entries()) result.data.set(row, i * columns);
  return result;
}

/** Elementwise difference. */
export function subtract(a: Matrix, b: Matrix): Matrix {
  if (a.rows !== b.rows || a.columns !== b.columns) {
    throw new RangeError(`${a.rows} x ${a.columns} minus ${b.rows} x ${b.columns}`);
  }
  return { ...a, data: a.data.map((value, index) => value - (b.data[index] ?? 0)) };
}

/** Root of the sum of squares, scaled so that nothing overflows. */
export function frobeniusNorm({ data }: Matrix): number {
  return norm(data);
}

/** Euclidean norm of a vector. */
export function norm(values: Float64Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (const value of values) sum += (value / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** Throws RangeError when an element is not finite: factorisations would loop or give nonsense. */
export function requireFinite(what: string, { data }: Matrix): void {
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new RangeError(`${what}: element ${at} is ${data[at]}`);
}
