// What may be chosen of a network on the command line, for every command that builds one.

import { Option } from "@commander-js/extra-typings";
import { parseCount, parseNumber } from "./values.ts";

const count = <Name extends string>(name: Name, description: string) =>
  new Option(`--${name} <count>` as const, description).argParser((text: string) =>
    parseCount(`--${name}`, text, 1),
  );

const factor = <Name extends string>(name: Name, description: string) =>
  new Option(`--${name} <factor>` as const, description).argParser((text: string) =>
    parseNumber(`--${name}`, text),
  );

/** Options of commands, in the order of their help. */
export const NET_OPTIONS = {
  alpha: factor("alpha", "width multiplier: factor on the channels, such as 0.5"),
  rho: factor("rho", "resolution multiplier: factor on the image's size"),
  size: count("size", "pixels a side of the image"),
  channels: count("channels", "channels of the image"),
  classes: count("classes", "number of scores"),
  initialiser: new Option(
    "--initialiser <name>",
    "distribution of the first weights, such as he-uniform",
  ),
  seed: count("seed", "of the first weights (default: 1)"),
};
