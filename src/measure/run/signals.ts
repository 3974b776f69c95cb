// Signals while a command runs under godwit: which are passed on, and when.
//
// The command shares godwit's process group, so that Ctrl-C, Ctrl-Z and the shell's job control
// reach it as if godwit were not there. A signal that was sent to the whole group must not be
// passed on, or the command gets it twice; one that was sent to godwit alone must. A signal does
// not say which it was, so a sentinel process of the same group tells: it ends on any such signal.

/** Signals passed on to the command when they were meant for godwit alone. */
export const FORWARDED = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
] as const satisfies readonly NodeJS.Signals[];

/**
 * A command on a relay's terminal may ask for the new size before the relay has passed it on, so it
 * is told once more after so many milliseconds. Being told twice of a size does no harm.
 */
const RESIZE_DELAY_MS = 50;

/** The part of `process` that signals need. */
export interface SignalSource {
  readonly pid: number;
  readonly platform: string;
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
  kill(pid: number, signal: NodeJS.Signals): unknown;
}

/** Tells whether a signal that just came was sent to the whole process group. */
export interface Sentinel {
  sawSignal(): Promise<boolean>;
}

export interface ForwardingOptions {
  readonly source: SignalSource;
  /**
   * The command, once it runs: signals that come while it is being started wait for it. They go to
   * it alone, as they came to godwit alone.
   */
  readonly target: Promise<number>;
  readonly sentinel: Sentinel;
  /** SIGHUP was ignored when godwit was started (nohup), so it is dropped. */
  readonly ignoreHangup: boolean;
  /** Told of each signal before it is passed on. */
  readonly onSignal?: (signal: NodeJS.Signals) => void;
}

/** Passes signals on until the returned function is called. */
export function forwardSignals(options: ForwardingOptions): () => void {
  const { source, target } = options;
  const send = async (signal: NodeJS.Signals): Promise<void> => {
    try {
      source.kill(await target, signal);
    } catch {
      // The command could not be started, or ended meanwhile.
    }
  };
  const listeners: (readonly [NodeJS.Signals, () => void])[] = [];
  const listen = (signal: NodeJS.Signals, listener: () => void): void => {
    try {
      source.on(signal, listener);
      listeners.push([signal, listener]);
    } catch {
      // This platform does not know the signal.
    }
  };

  for (const signal of FORWARDED) {
    listen(signal, () => {
      if (signal === "SIGHUP" && options.ignoreHangup) return;
      options.onSignal?.(signal);
      // A Windows console sends Ctrl-C and its like to every process by itself.
      if (source.platform === "win32") return;
      void options.sentinel.sawSignal().then((group) => (group ? undefined : send(signal)));
    });
  }
  if (source.platform !== "win32") {
    listen("SIGWINCH", () => void setTimeout(() => send("SIGWINCH"), RESIZE_DELAY_MS).unref());
    listen("SIGCONT", () => void send("SIGCONT"));
    listenForStop({ ...options, listen, send });
  }
  return () => {
    for (const [signal, listener] of listeners) source.off(signal, listener);
  };
}

/**
 * Stops the command, then godwit itself by the signal's default action. A SIGSTOP instead would
 * also stop an orphaned process group, where nobody could continue it.
 */
function listenForStop({
  source,
  listen,
  send,
}: ForwardingOptions & {
  readonly listen: (signal: NodeJS.Signals, listener: () => void) => void;
  readonly send: (signal: NodeJS.Signals) => Promise<void>;
}): void {
  const stop = async (): Promise<void> => {
    await send("SIGTSTP");
    source.off("SIGTSTP", stop);
    source.kill(source.pid, "SIGTSTP");
    // Runs again once continued.
    source.on("SIGTSTP", stop);
  };
  listen("SIGTSTP", stop);
}
