// Long work of `godwit slim` that Ctrl-C ends in order.

class Interrupted extends Error {}

/** Runs work that SIGINT and SIGTERM end by its signal. False where they did; other errors are thrown on. */
export async function unlessInterrupted(
  work: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Interrupted());
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    await work(stop.signal);
    return true;
  } catch (error) {
    if (!(stop.signal.reason instanceof Interrupted)) throw error;
    return false;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}
