// All networks that can be asked for by name.

import { suggest, UserError } from "../../core/index.ts";
import { caffeLenet, lenet5, lenet300, mlp } from "./lenet.ts";
import { fullMobilenetV1, mobilenetV1, smallMobilenetV1 } from "./mobilenet-v1.ts";
import type { Net } from "./net.ts";
import { smallVgg, vgg16, vgg19 } from "./vgg.ts";

/** The networks, small ones first within their families. */
export const nets: readonly Net[] = [
  mlp,
  lenet300,
  lenet5,
  caffeLenet,
  smallVgg,
  vgg16,
  vgg19,
  smallMobilenetV1,
  mobilenetV1,
  fullMobilenetV1,
];

/** The network of a name. Throws UserError. */
export function netNamed(name: string): Net {
  const found = nets.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = nets.map((one) => one.name);
  const near = suggest(name, names);
  throw new UserError("usage", `no network is called "${name}"`, {
    hint: near === null ? `There are: ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}
