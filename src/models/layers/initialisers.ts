// First values of weights: distributions whose spread follows from how many inputs a unit has (fan in)
// and how many units an input reaches (fan out).

import { type Random, suggest, UserError } from "../../core/index.ts";

/** Connections of one unit: to the inputs it reads, and of one input: to the units that read it. */
export interface Fan {
  readonly in: number;
  readonly out: number;
}

/** Draws weights independently of each other. */
export interface Initialiser {
  readonly name: string;
  readonly description: string;
  /** What draws one weight of a layer. */
  sampler(fan: Fan): (random: Random) => number;
}

/** Every weight the same. */
export const filledWith = (value: number, name = `${value}`): Initialiser => ({
  name,
  description: `all ${value}`,
  sampler: () => () => value,
});

export const zeros = filledWith(0, "zeros");
export const ones = filledWith(1, "ones");

const normalOf = (name: string, description: string, variance: (fan: Fan) => number) => ({
  name,
  description,
  sampler: (fan: Fan) => {
    const deviation = Math.sqrt(variance(fan));
    return (random: Random) => deviation * random.normal();
  },
});

/** A uniform distribution on (-a, a) has variance a^2 / 3. */
const uniformOf = (name: string, description: string, variance: (fan: Fan) => number) => ({
  name,
  description,
  sampler: (fan: Fan) => {
    const bound = Math.sqrt(3 * variance(fan));
    return (random: Random) => bound * (2 * random.uniform() - 1);
  },
});

// He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", equation 10: half of the outputs are zero.
const HE = "variance 2 / fan in; for layers before a rectifier (He et al. 2015)";
const he = (fan: Fan): number => 2 / fan.in;
// Glorot, Bengio 2010, "Understanding the difficulty of training deep feedforward networks", equation 12.
const GLOROT = "variance 2 / (fan in + fan out) (Glorot and Bengio 2010)";
const glorot = (fan: Fan): number => 2 / (fan.in + fan.out);
// LeCun, Bottou, Orr, Müller 1998, "Efficient BackProp", section 4.6.
const LECUN = "variance 1 / fan in (LeCun et al. 1998)";
const lecun = (fan: Fan): number => 1 / fan.in;

export const heNormal: Initialiser = normalOf("he-normal", HE, he);
export const glorotUniform: Initialiser = uniformOf("glorot-uniform", GLOROT, glorot);
export const lecunNormal: Initialiser = normalOf("lecun-normal", LECUN, lecun);

/** Spread of the normal distributions that do not look at the layer. */
const SMALL = 0.02;

const truncatedNormal: Initialiser = {
  name: "truncated-normal",
  description: `deviation ${SMALL} before values beyond two deviations are drawn again`,
  sampler: () => (random) => {
    let value = random.normal();
    while (Math.abs(value) > 2) value = random.normal();
    return SMALL * value;
  },
};

/** All initialisers, by the names that recipes and the command line use. */
export const initialisers: readonly Initialiser[] = [
  heNormal,
  uniformOf("he-uniform", HE, he),
  normalOf("glorot-normal", GLOROT, glorot),
  glorotUniform,
  lecunNormal,
  uniformOf("lecun-uniform", LECUN, lecun),
  // PyTorch's default for linear and convolution layers: bound 1 / sqrt(fan in).
  uniformOf(
    "torch-uniform",
    "variance 1 / (3 fan in), PyTorch's default",
    (fan) => 1 / (3 * fan.in),
  ),
  truncatedNormal,
  normalOf("normal", `deviation ${SMALL}`, () => SMALL ** 2),
  zeros,
  ones,
];

/** Other names of the same. */
const ALIASES: readonly (readonly [name: string, of: string])[] = [
  ["kaiming", "he"],
  ["xavier", "glorot"],
];

/** The initialiser of a name; `kaiming-` and `xavier-` are understood. Throws UserError. */
export function initialiserNamed(name: string): Initialiser {
  const usual = ALIASES.reduce((text, [alias, of]) => text.replace(alias, of), name.toLowerCase());
  const found = initialisers.find((one) => one.name === usual);
  if (found !== undefined) return found;
  const names = initialisers.map((one) => one.name);
  const near = suggest(usual, names);
  throw new UserError("usage", `no initialiser is called "${name}"`, {
    hint: near === null ? `There are: ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}
