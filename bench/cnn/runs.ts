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

const FLIPS = ["--flip", "--flip-vertical"];

export const SETS: readonly SetOfRuns[] = [
  {
    data: "eurosat",
    epochs: 12,
    recipe: FLIPS,
    target: { accuracy: 0.88, macs: 5e6 },
    runs: [
      { net: "vgg-small", alpha: 0.25, plain: true },
      { net: "squeezenet-small" },
      { net: "googlenet-small" },
      { net: "mobilenet-v1-small", alpha: 0.5 },
      { net: "vgg-small", alpha: 0.5, plain: true },
      { net: "flattened-cnn", alpha: 0.5 },
      { net: "flattened-cnn-full", alpha: 0.5, plain: true },
      { net: "mobilenet-v1-small", alpha: 0.25 },
      { net: "mobilenet-v1-small", alpha: 1, rho: 0.5 },
    ],
  },
  {
    data: "fashion-10k",
    epochs: 10,
    recipe: ["--flip"],
    target: { accuracy: 0.895, macs: 10e6 },
    runs: [
      { net: "vgg-small", plain: true },
      { net: "mobilenet-v1-small" },
      { net: "lenet-5", plain: true },
      { net: "squeezenet-small" },
      { net: "googlenet-small" },
      { net: "mobilenet-v1-small", alpha: 0.5 },
      { net: "vgg-small", alpha: 0.5, plain: true },
      { net: "flattened-cnn" },
      { net: "flattened-cnn-full", plain: true },
    ],
  },
  {
    data: "digits",
    epochs: 30,
    recipe: ["--test", "0.2", "--shift", "1"],
    target: { accuracy: 0.985, macs: Number.POSITIVE_INFINITY },
    runs: [
      { net: "vgg-small", alpha: 0.5, plain: true },
      { net: "mobilenet-v1-small" },
      { net: "flattened-cnn" },
      { net: "flattened-cnn-full", plain: true },
      { net: "googlenet-small" },
      { net: "mlp", plain: true },
    ],
  },
];
