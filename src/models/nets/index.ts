// The named networks, as models in inference form.

export { countNet, type NetCount } from "./count-net.ts";
export { type Net, type NetDefinition, type NetOptionName, type NetOptions, net } from "./net.ts";
export { netNamed, nets } from "./registry.ts";
