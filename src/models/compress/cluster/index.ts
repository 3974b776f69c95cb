// Smaller forms of stored weights, for disks and networks.

export { type ClusterOptions, cluster } from "./cluster.ts";
export { storeHalf } from "./half.ts";
