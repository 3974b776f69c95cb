// godwit, the measuring library: what a piece of code costs in time, power, energy and carbon.
// Importing it does nothing; the first measured call looks for sensors, once.
//
//   const { result, energy, emissions } = await measure("train", () => train(model));

import { createNodeHost } from "./core/host/node-host.ts";
import { model } from "./measure/estimate/index.ts";
import {
  createMeasurer,
  createMeter as createMeterOf,
  type Meter,
  type MeterOptions,
} from "./measure/run/index.ts";
import { providers } from "./measure/sensors/index.ts";

const thisMachine = (): Pick<MeterOptions, "host" | "providers"> => ({
  host: createNodeHost(),
  providers: [...providers, model],
});

const measurer = createMeasurer(thisMachine);

/**
 * Runs `work` and says what it used. The outermost call makes a card; calls inside it become its
 * spans. What `work` throws passes through.
 *
 * @example
 * const { result, energy } = await measure("step", () => model.step(batch));
 */
export const measure = measurer.measure;

/** A function like `work` that measures every call. */
export const measured = measurer.measured;

/**
 * Opens a span for the rest of the calling block.
 *
 * @example
 * await using span = await openSpan("load weights");
 */
export const openSpan = measurer.openSpan;

/**
 * A meter that is started and stopped by hand, with live samples. It measures this process on this
 * machine unless its options say otherwise.
 *
 * @example
 * const meter = createMeter();
 * await meter.start();
 * const card = await meter.stop();
 */
export function createMeter(options: Partial<MeterOptions> = {}): Meter {
  const subject = { kind: "span", name: "meter", tags: {} } as const;
  return createMeterOf({ ...thisMachine(), subject, ...options });
}

export type { Card } from "./core/card.ts";
export { createNodeHost } from "./core/host/node-host.ts";
export type { Figure, Host, Method, Unit } from "./core/index.ts";
export { UserError } from "./core/index.ts";
export {
  createMeasurer,
  type Ending,
  type Measured,
  type Measurer,
  type MeasurerOptions,
  type Meter,
  type MeterOptions,
  type OpenSpan,
  type RecordSink,
  type Sample,
  type Setup,
  type Span,
  type SubjectUse,
  setUp,
} from "./measure/run/index.ts";
export type { Probe, Reading, Sensor, SensorProvider } from "./measure/sensors/index.ts";
export { providers } from "./measure/sensors/index.ts";
