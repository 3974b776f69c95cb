// Charts: pure functions from data to SVG text.

export { type Bar, type BarPart, type BarsData, barChart } from "./bars.ts";
export type { ChartOptions } from "./frame.ts";
export { planChart } from "./plan.ts";
export { signalBar } from "./plan-bar.ts";
export { type Band, type PowerData, type PowerLine, powerChart } from "./power.ts";
export { type Extent, linearScale, linearTicks, logScale, logTicks, timeTicks } from "./scale.ts";
