// A signal at another step. The integral over every new step is kept, so no saving appears or goes by
// changing the clock.

import { UserError } from "../../core/index.ts";
import { between, exposureOf } from "./exposure.ts";
import { endOf, type Signal, type SignalBasis, type SignalKind, signal } from "./signal.ts";

/**
 * The signal in steps of `step` seconds from its own start: means where the step grows, repeated values
 * where it shrinks. What is left of the last step is dropped. Quantiles are averaged alike, which
 * keeps them on the safe side: a mean varies less than its parts.
 */
export function resample<K extends SignalKind, B extends SignalBasis>(
  of: Signal<K, B>,
  step: number,
): Signal<K, B> {
  const count = Math.floor((endOf(of) - of.start) / step);
  if (!(step > 0) || count === 0)
    throw new UserError("invalid-input", `${of.zone} cannot be resampled to ${step} s`, {
      hint: `Its ${of.values.length} steps of ${of.step} s hold no whole step of that length.`,
    });
  const means = (values: Float64Array): Float64Array => {
    const exposure = exposureOf({ ...of, values });
    return Float64Array.from({ length: count }, (_, at) => {
      const from = of.start + at * step;
      return between(exposure, from, from + step) / step;
    });
  };
  return signal({
    ...of,
    step,
    values: means(of.values),
    ...(of.quantiles === undefined
      ? {}
      : { quantiles: of.quantiles.map(({ p, values }) => ({ p, values: means(values) })) }),
  });
}
