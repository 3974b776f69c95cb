import { expect, test } from "vitest";
import { FORWARDED, forwardSignals, type SignalSource } from "./signals.ts";

interface Made {
  readonly source: SignalSource;
  readonly sent: string[];
  raise(signal: NodeJS.Signals): Promise<void>;
  listening(): number;
}

function make(platform = "linux"): Made {
  const listeners = new Map<string, () => void>();
  const sent: string[] = [];
  return {
    sent,
    listening: () => listeners.size,
    source: {
      pid: 1,
      platform,
      on: (signal, listener) => listeners.set(signal, listener),
      off: (signal) => listeners.delete(signal),
      kill: (pid, signal) => sent.push(`${signal} to ${pid}`),
    },
    async raise(signal) {
      listeners.get(signal)?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const alone = { sawSignal: async () => false };
const group = { sawSignal: async () => true };
const target = Promise.resolve(7);

test("a signal that came to godwit alone goes to the command", async () => {
  const { source, sent, raise } = make();
  forwardSignals({ source, target, sentinel: alone, ignoreHangup: false });
  for (const signal of FORWARDED) await raise(signal);
  expect(sent).toEqual(FORWARDED.map((signal) => `${signal} to 7`));
});

test("a signal that came to the whole group is not sent a second time", async () => {
  const { source, sent, raise } = make();
  forwardSignals({ source, target, sentinel: group, ignoreHangup: false });
  for (const signal of FORWARDED) await raise(signal);
  expect(sent).toEqual([]);
});

test("signals while the command starts wait for it", async () => {
  const { source, sent, raise } = make();
  let start = (_: number): void => {};
  const later = new Promise<number>((resolve) => {
    start = resolve;
  });
  forwardSignals({ source, target: later, sentinel: alone, ignoreHangup: false });
  await raise("SIGTERM");
  expect(sent).toEqual([]);
  start(9);
  await later;
  await raise("SIGWINCH");
  expect(sent).toEqual(["SIGTERM to 9"]);
});

test("under nohup a hang-up is dropped", async () => {
  const { source, sent, raise } = make();
  forwardSignals({ source, target, sentinel: alone, ignoreHangup: true });
  await raise("SIGHUP");
  expect(sent).toEqual([]);
});

test("a stop stops the command first, then godwit by the default action", async () => {
  const { source, sent, raise, listening } = make();
  forwardSignals({ source, target, sentinel: alone, ignoreHangup: false });
  const before = listening();
  await raise("SIGTSTP");
  expect(sent).toEqual(["SIGTSTP to 7", "SIGTSTP to 1"]);
  expect(listening()).toBe(before);
});

test("a Windows console reaches the command by itself", async () => {
  const { source, sent, raise } = make("win32");
  forwardSignals({ source, target, sentinel: alone, ignoreHangup: false });
  await raise("SIGINT");
  expect(sent).toEqual([]);
});

test("when forwarding ends nothing listens any more", () => {
  const { source, listening } = make();
  forwardSignals({ source, target, sentinel: alone, ignoreHangup: false })();
  expect(listening()).toBe(0);
});

test("a signal that the platform does not know is left out", () => {
  const { source, listening } = make();
  const picky: SignalSource = {
    ...source,
    on(signal, listener) {
      if (signal === "SIGQUIT") throw new Error("EINVAL");
      return source.on(signal, listener);
    },
  };
  forwardSignals({ source: picky, target, sentinel: alone, ignoreHangup: false });
  expect(listening()).toBeGreaterThan(3);
});
