// What is kept of one network on one set.

export interface Row extends Inference {
  readonly data: string;
  readonly name: string;
  readonly plain: boolean;
  readonly epochs: number;
  readonly seed: number;
  readonly accuracy: Interval;
  /** CPU seconds and estimated joules (attributed, with a 90 % interval) of the whole training. */
  readonly train: { readonly cpuS: number; readonly wallS: number; readonly joules: Interval };
}

export interface Inference {
  readonly parameters: number;
  readonly macs: number;
  /** Of one inference, batch 1, one thread: milliseconds of CPU, median and middle half. */
  readonly inferenceMs: Interval;
  /** Estimated joules of a thousand of them. */
  readonly inferenceJoules: Interval;
}

export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export const intervalOf = (figure: Interval | undefined): Interval => ({
  value: figure?.value ?? Number.NaN,
  low: figure?.low ?? Number.NaN,
  high: figure?.high ?? Number.NaN,
});
