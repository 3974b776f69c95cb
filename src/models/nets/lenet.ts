// LeNets and plain perceptrons.

import {
  classifier,
  conv,
  dense,
  type Features,
  type LayerScope,
  maxPool,
  relu,
} from "../layers/index.ts";
import { type Net, net } from "./net.ts";

const GRAY_28 = { channels: 1, size: 28 };
const HALVED = { kernel: 2, stride: 2 };

/** Dense layers with rectifiers, then the classifier. */
function perceptron(
  at: LayerScope,
  image: Features,
  { hidden, classes }: { readonly hidden: readonly number[]; readonly classes: number },
): Features {
  let x = image;
  for (const units of hidden) x = relu(at, dense(at, x, { units }));
  return classifier(at, x, classes);
}

/** Two hidden layers of 512 units. */
export const mlp: Net = net({
  name: "mlp",
  description: "perceptron with two hidden layers of 512 units",
  source: "the plain baseline",
  input: GRAY_28,
  classes: 10,
  layers: (at, image, classes) => perceptron(at, image, { hidden: [512, 512], classes }),
});

export const lenet300: Net = net({
  name: "lenet-300-100",
  description: "perceptron with 300 and 100 hidden units",
  source: "LeCun et al. 1998, section III.C.4; as in Han et al. 2015",
  input: GRAY_28,
  classes: 10,
  layers: (at, image, classes) => perceptron(at, image, { hidden: [300, 100], classes }),
});

/** Dense C3, rectifiers, maximum pools: what is called LeNet-5 today. */
export const lenet5: Net = net({
  name: "lenet-5",
  description: "LeNet-5 of today: dense C3, rectifiers, max pools, linear scores",
  source: "after LeCun et al. 1998",
  input: GRAY_28,
  classes: 10,
  layers(at, image, classes) {
    const c1 = relu(at, conv(at, image, { filters: 6, kernel: 5, padding: "same", name: "c1" }));
    const s2 = maxPool(at, c1, HALVED);
    const c3 = relu(at, conv(at, s2, { filters: 16, kernel: 5, name: "c3" }));
    const s4 = maxPool(at, c3, HALVED);
    const c5 = relu(at, dense(at, s4, { units: 120, name: "c5" }));
    const f6 = relu(at, dense(at, c5, { units: 84, name: "f6" }));
    return classifier(at, f6, classes);
  },
});

/** Caffe's example, which the pruning papers call LeNet-5. */
export const caffeLenet: Net = net({
  name: "lenet-caffe",
  description: "Caffe's LeNet, the LeNet-5 of the pruning papers: 20 and 50 filters, 500 units",
  source: "BVLC/caffe, examples/mnist/lenet.prototxt",
  input: GRAY_28,
  classes: 10,
  layers(at, image, classes) {
    const conv1 = conv(at, image, { filters: 20, kernel: 5, name: "conv1" });
    const pool1 = maxPool(at, conv1, HALVED);
    const conv2 = conv(at, pool1, { filters: 50, kernel: 5, name: "conv2" });
    const pool2 = maxPool(at, conv2, HALVED);
    return classifier(at, relu(at, dense(at, pool2, { units: 500, name: "ip1" })), classes);
  },
});
