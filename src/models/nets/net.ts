// A network by name: what it is, what may be chosen, and how its model is made.

import { UserError } from "../../core/index.ts";
import { type Model, modelBuilder, type OperatorTable, tensorType } from "../../onnx/index.ts";
import {
  type Features,
  initialiserNamed,
  type LayerScope,
  layerScope,
  shrunkSize,
  widthOf,
} from "../layers/index.ts";

/** What may be chosen when a network is built. */
export interface NetOptions {
  readonly operators: OperatorTable;
  /** Width multiplier: factor on the channels of every layer but the last. Default: 1. */
  readonly alpha?: number;
  /** Pixels a side of the image. Default: that of the network. */
  readonly size?: number;
  /** Resolution multiplier: factor on `size`. Default: 1. */
  readonly rho?: number;
  /** Channels of the image. Default: those of the network. */
  readonly channels?: number;
  /** Number of scores. Default: that of the network. */
  readonly classes?: number;
  /** Name of the distribution that hidden layers start from. Default: that of the network. */
  readonly initialiser?: string;
  /** Of the first weights. Default: 1. */
  readonly seed?: number;
}

export type NetOptionName = Exclude<keyof NetOptions, "operators">;

/** A network in the registry. */
export interface Net {
  readonly name: string;
  /** One line. */
  readonly description: string;
  /** Where the architecture is defined. */
  readonly source: string;
  /** The image that it takes unless told otherwise. */
  readonly input: { readonly channels: number; readonly size: number };
  readonly classes: number;
  /** The options that it has. */
  readonly options: readonly NetOptionName[];
  /**
   * Its model in inference form, from `image` [batch, channels, size, size] to `scores` [batch, classes]
   * before any softmax. Weights are drawn when they are read. Throws UserError for an option that it
   * does not have or that does not fit.
   */
  build(options: NetOptions): Model;
}

/** What makes up a network. */
export interface NetDefinition extends Omit<Net, "options" | "build"> {
  /** Options that it cannot offer. */
  readonly without?: readonly NetOptionName[];
  /** Channels come in multiples of this when they are shrunk. Default: 1. */
  readonly divisor?: number;
  /** Distribution that its hidden layers start from. Default: `he-normal`. */
  readonly initialiser?: string;
  /** From the image to one score a class. */
  layers(at: LayerScope, image: Features, classes: number): Features;
}

const OPTIONS: readonly NetOptionName[] = [
  "alpha",
  "size",
  "rho",
  "channels",
  "classes",
  "initialiser",
  "seed",
];

/** A network from its definition. */
export function net(definition: NetDefinition): Net {
  const { name, description, source, input, classes, without = [] } = definition;
  const options = OPTIONS.filter((option) => !without.includes(option));
  return {
    name,
    description,
    source,
    input,
    classes,
    options,
    build(chosen) {
      const refused = OPTIONS.find((one) => !options.includes(one) && chosen[one] !== undefined);
      if (refused === undefined) return modelOf(definition, chosen);
      throw new UserError("usage", `${name} has no option "${refused}"`, {
        hint: `Its options are: ${options.join(", ")}.`,
      });
    },
  };
}

function modelOf(definition: NetDefinition, options: NetOptions): Model {
  const { name, input, divisor, layers } = definition;
  const { operators, alpha = 1, rho = 1, seed = 1 } = options;
  const { initialiser = definition.initialiser ?? "he-normal" } = options;
  const channels = whole(options.channels ?? input.channels, "channels");
  const classes = whole(options.classes ?? definition.classes, "classes");
  const size = shrunkSize(whole(options.size ?? input.size, "size"), rho);
  const builder = modelBuilder({ operators, name });
  const at = layerScope(builder, {
    seed,
    width: widthOf(alpha, divisor),
    initialiser: initialiserNamed(initialiser),
  });
  const shape = [channels, size, size];
  const image = { value: builder.input("image", "float32", ["batch", ...shape]), shape };
  const scores = layers(at, image, classes);
  builder.output(scores.value, {
    name: "scores",
    type: tensorType("float32", ["batch", ...scores.shape]),
  });
  const recipe = { net: name, alpha, size, channels, classes, initialiser, seed };
  return {
    ...builder.finish(),
    metadata: [{ key: "godwit.net", value: JSON.stringify(recipe) }],
  };
}

function whole(value: number, what: string): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new UserError("usage", `${what} of ${value}`, { hint: "Give a whole number above 0." });
}
