// A session whose first run is compared with the CPU's. Graphics drivers and their compilers differ more
// than CPUs do, and a wrong result of a convolution looks like any other number.

import { UserError } from "../core/index.ts";
import type { Feed } from "./port.ts";
import type { TensorValue } from "./tensor-value.ts";

type Outputs = Readonly<Record<string, TensorValue>>;

/** What of a session is looked at. */
interface Checkable<O> {
  readonly name: string;
  readonly settings: { readonly runtime: string };
  run(feeds: Readonly<Record<string, Feed>>, options?: O): Promise<Outputs>;
  close(): Promise<void>;
}

interface Wanted {
  readonly outputs?: readonly string[];
}

/**
 * Largest difference, relative to the largest number of an output. Sums in another order differ by 1e-4
 * at most on the networks that were tried; a wrong kernel by about 1.
 */
const TOLERANCE = 1e-2;

/**
 * The session's `run`, whose first call is checked against a session that `reference` makes and that is closed
 * then. Throws UserError where they differ. Graphs that draw random numbers cannot be checked so.
 */
export function checkedRun<O extends Wanted>(
  session: Checkable<O>,
  reference: () => Promise<Checkable<Wanted>>,
): Checkable<O>["run"] {
  let checking: Promise<void> | null = null;
  const check = async (feeds: Readonly<Record<string, Feed>>, options?: O): Promise<void> => {
    const other = await reference();
    try {
      const wanted = options?.outputs === undefined ? {} : { outputs: options.outputs };
      const expected = await other.run(feeds, wanted);
      compare(await session.run(feeds, wanted as O), expected, session);
    } finally {
      await other.close();
    }
  };
  return async (feeds, options) => {
    checking ??= check(feeds, options);
    await checking;
    return session.run(feeds, options);
  };
}

function compare(
  outputs: Outputs,
  expected: Outputs,
  { name, settings }: Pick<Checkable<Wanted>, "name" | "settings">,
): void {
  for (const [output, value] of Object.entries(expected)) {
    const difference = relativeDifference(outputs[output], value);
    if (difference <= TOLERANCE) continue;
    throw new UserError(
      "unsupported",
      `${settings.runtime} computes output "${output}" of ${name} wrongly: it differs from the CPU's by ${(100 * difference).toPrecision(3)} %`,
      { hint: "Run this model on the CPU, or update the graphics driver and ONNX Runtime." },
    );
  }
}

/** Largest difference over the largest magnitude; infinite where shapes or finiteness differ. */
export function relativeDifference(got: TensorValue | undefined, expected: TensorValue): number {
  if (got === undefined || got.data.length !== expected.data.length)
    return Number.POSITIVE_INFINITY;
  let [largest, difference] = [0, 0];
  for (let at = 0; at < expected.data.length; at++) {
    const [a, b] = [Number(got.data[at]), Number(expected.data[at])];
    if (Object.is(a, b) || a === b) {
      if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
      continue;
    }
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(b));
    difference = Math.max(difference, Math.abs(a - b));
  }
  return difference === 0 ? 0 : difference / Math.max(largest, Number.MIN_VALUE);
}
