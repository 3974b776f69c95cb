// Seeded pseudo-random numbers, so that every drawn interval and shuffled dataset can be repeated.

export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal, by the Box-Muller transform. */
  normal(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
}

/** SplitMix32, for spreading one seed over the generator's whole state. */
function splitMix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

/** The sfc32 generator (Chris Doty-Humphrey, PractRand): 128 bits of state, passes BigCrush. */
export function createRandom(seed: number): Random {
  const next = splitMix32(seed);
  let [a, b, c, counter] = [next(), next(), next(), 1];

  const word = (): number => {
    const result = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + result) >>> 0;
    return result;
  };
  const uniform = (): number => word() / 2 ** 32;

  return {
    uniform,
    // 1 - u lies in (0, 1], where the logarithm is finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (bound) => Math.floor(uniform() * bound),
  };
}
