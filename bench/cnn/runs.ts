// What is trained: networks of one family each on three sets of pictures, all of a set for the same epochs
// with the same recipe, so that their training energies can be compared.

export interface SetOfRuns {
  /** Name in the catalogue. */
  readonly data: string;
  readonly epochs: number;
  /** Options of `godwit train` that all runs of the set share. */
  readonly recipe: readonly string[];
  /** Accuracy that the set asks for, and at how many MACs at most. */
  readonly target: { readonly accuracy: number; readonly macs: number };
  readonly runs: readonly Run[];
}

export interface Run {
  readonly net: string;
  readonly alpha?: number;
  readonly rho?: number;
  /** Plain networks are what the efficient blocks are compared with. */
  readonly plain?: true;
}

/**
 * One recipe for all, plain networks and efficient ones alike: AdamW in one cycle of the learning rate, which rises at
 * first and ends at nearly 0, smoothed labels, decay of the weights, and their moving average as the result.
 */
const RECIPE = ["--smoothing", "0.1", "--weight-decay", "0.05", "--average", "0.98"];

/** The most expensive networks first, so that both lanes end at about the same time. */
export const SETS: readonly SetOfRuns[] = [
  {
    data: "eurosat",
    epochs: 15,
    // A view from above has no right way up. The best epoch is chosen by the 500 rows that are there for it.
    recipe: [...RECIPE, "--batch", "64", "--rate", "0.006", "--flip", "--turn"],
    target: { accuracy: 0.88, macs: 5e6 },
    runs: [
      { net: "vgg-small", alpha: 0.5, plain: true },
      { net: "vgg-small", alpha: 0.25, plain: true },
      { net: "squeezenet-small" },
      { net: "mobilenet-v1-small", alpha: 0.5 },
      { net: "googlenet-small" },
      { net: "mobilenet-v1-small", alpha: 0.5, rho: 0.5 },
      { net: "flattened-cnn", alpha: 0.5 },
      { net: "lenet-5", plain: true },
      { net: "mobilenet-v1-small", alpha: 0.25 },
    ],
  },
  {
    data: "fashion-10k",
    epochs: 10,
    recipe: [...RECIPE, "--batch", "64", "--rate", "0.006", "--flip", "--validation", "0"],
    target: { accuracy: 0.895, macs: 10e6 },
    runs: [
      { net: "vgg-small", plain: true },
      { net: "googlenet-small" },
      { net: "squeezenet-small" },
      { net: "mobilenet-v1-small", alpha: 0.5 },
      { net: "flattened-cnn", alpha: 0.5 },
      { net: "mobilenet-v1-small", alpha: 0.25 },
      { net: "vgg-small", alpha: 0.5, plain: true },
      { net: "mobilenet-v1-small", alpha: 0.25, rho: 0.5 },
      { net: "vgg-small", alpha: 0.5, rho: 0.5 },
      { net: "lenet-5", plain: true },
    ],
  },
  {
    data: "digits",
    epochs: 30,
    recipe: [
      ...[...RECIPE, "--batch", "32", "--rate", "0.004", "--shift", "1"],
      ...["--test", "0.2", "--validation", "0"],
    ],
    target: { accuracy: 0.985, macs: Number.POSITIVE_INFINITY },
    runs: [
      { net: "vgg-small", plain: true },
      { net: "flattened-cnn-full", plain: true },
      { net: "flattened-cnn" },
      { net: "googlenet-small" },
      { net: "squeezenet-small" },
      { net: "mobilenet-v1-small", alpha: 0.5 },
      { net: "mlp", plain: true },
    ],
  },
];
