// Time that runs out: work is broken off, and what was found before stands.

/** Longest delay that timers take, in ms. */
const MOST = 2 ** 31 - 1;

/** A signal that comes after some seconds, or with the other one. */
export function endingAfter(seconds: number, signal: AbortSignal | undefined): AbortSignal {
  const timer = AbortSignal.timeout(Math.min(MOST, Math.max(0, Math.round(1000 * seconds))));
  return signal === undefined ? timer : AbortSignal.any([signal, timer]);
}

/** Whether work was broken off because its time was over. */
export const isOutOfTime = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "TimeoutError";

/** What the work finds; null where its time is over before. */
export async function beforeTheEnd<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (isOutOfTime(error)) return null;
    throw error;
  }
}
