// A process that lowers the limits of a made-up powercap tree and then waits to be killed:
// `node limit-holder.ts TREE FILE WATTS`.

import { createNodeHost } from "../src/core/host/node-host.ts";
import { guardLimits, raplDevices } from "../src/systems/tune/index.ts";

const [root = "", path = "", watts = ""] = process.argv.slice(2);
const guard = await guardLimits({
  ...{ host: createNodeHost(), path, devices: () => raplDevices(root) },
  onNotice: (text) => console.error(text),
});
await guard.set(Number(watts));
console.log("set");
setInterval(() => {}, 1000);
