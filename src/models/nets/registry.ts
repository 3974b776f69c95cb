// All networks that can be asked for by name.

import { suggest, UserError } from "../../core/index.ts";
import { flattenedCnn, fullCnn } from "./flattened-cnn.ts";
import { normalisedGooglenet, paperGooglenet, smallGooglenet } from "./googlenet.ts";
import { caffeLenet, lenet5, lenet300, mlp } from "./lenet.ts";
import { lenet5Of1998 } from "./lenet-1998.ts";
import { fullMobilenetV1, mobilenetV1, smallMobilenetV1 } from "./mobilenet-v1.ts";
import { mobilenetV2, smallMobilenetV2 } from "./mobilenet-v2.ts";
import type { Net } from "./net.ts";
import { resnet8, resnet20 } from "./resnet.ts";
import { smallShufflenet } from "./shufflenet.ts";
import { smallSqueezenet, squeezenet10, squeezenet11 } from "./squeezenet.ts";
import { smallVgg, vgg16, vgg19 } from "./vgg.ts";

/** The networks, small ones first within their families. */
export const nets: readonly Net[] = [
  mlp,
  lenet300,
  lenet5,
  lenet5Of1998,
  caffeLenet,
  smallVgg,
  vgg16,
  vgg19,
  smallGooglenet,
  paperGooglenet,
  normalisedGooglenet,
  resnet8,
  resnet20,
  smallMobilenetV1,
  mobilenetV1,
  fullMobilenetV1,
  smallMobilenetV2,
  mobilenetV2,
  smallShufflenet,
  smallSqueezenet,
  squeezenet10,
  squeezenet11,
  flattenedCnn,
  fullCnn,
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
