// The library's verbs: `measure(name, work)`, `measured(name, work)` and `await using openSpan(name)`.
// The outermost call makes a run with a card of its own; calls inside it become its spans, through
// whatever awaits and callbacks lie between.

import type { Card } from "../../core/card.ts";
import { createAmbient } from "../../core/host/ambient.ts";
import { exact, type Figure, reasonOf } from "../../core/index.ts";
import { createMeter, type Meter, type MeterOptions, type OpenSpan } from "./meter.ts";
import type { Summary } from "./result.ts";
import { type Setup, setUp } from "./setup.ts";

/** What a measured call used. Frozen, JSON-safe as far as `result` is. */
export interface Measured<T> {
  readonly result: T;
  readonly duration: Figure<"s">;
  /** The subject's attributed energy at the boundary; absent when nothing could measure it. */
  readonly energy?: Figure<"J">;
  readonly emissions?: Figure<"gCO2e">;
  /** Why a figure is absent, and what to know of the others. */
  readonly notices: readonly string[];
  /** The whole account; only the outermost call has one. */
  readonly card?: Card;
}

/** An open span; closes when its block is left. */
export interface Span extends AsyncDisposable {
  readonly name: string;
  /** Closes the span and says what it used. Closing twice gives the same answer. */
  close(): Promise<Measured<undefined>>;
}

export interface Measurer {
  /** Runs `work` and says what it used. What `work` throws passes through. */
  measure<T>(name: string, work: () => T | PromiseLike<T>): Promise<Measured<T>>;
  /** A function like `work` that measures every call and hands the outcome to `onMeasured`. */
  measured<A extends unknown[], T>(
    name: string,
    work: (...args: A) => T | PromiseLike<T>,
    onMeasured?: (outcome: Measured<T>) => void,
  ): (...args: A) => Promise<T>;
  /**
   * Opens a span for the rest of the calling function, for `await using`. What is measured after
   * it, until it closes, is inside it; work that goes on in parallel is better given to `measure`.
   */
  openSpan(name: string): Promise<Span>;
}

export type MeasurerOptions = Omit<MeterOptions, "subject" | "subjectUse">;

/** A call that is being measured. */
interface Frame {
  /** The measured call around this one. */
  readonly outer: Frame | undefined;
  /** Null before it has opened and after it has closed: nothing is inside it then. */
  opened: Opened | null;
}

interface Opened {
  readonly meter: Meter;
  /** Null in the run's outermost call. */
  readonly span: OpenSpan | null;
}

/** The verbs, for one host. Nothing is looked at before the first call. */
export function createMeasurer(options: () => MeasurerOptions): Measurer {
  const frames = createAmbient<Frame>();
  let ready: Promise<MeasurerOptions & { readonly setup: Setup }> | undefined;

  const prepared = (): NonNullable<typeof ready> => {
    if (ready === undefined) {
      ready = prepare(options());
      // A set-up that failed is tried again by the next call.
      ready.catch(() => {
        ready = undefined;
      });
    }
    return ready;
  };

  /** The innermost open frame around this call. */
  const around = (): Frame | undefined => {
    let frame = frames.current();
    while (frame?.opened === null) frame = frame.outer;
    return frame;
  };

  const open = async (name: string, outer: Frame | undefined): Promise<Opened> => {
    const inside = outer?.opened;
    if (inside) {
      return { meter: inside.meter, span: await inside.meter.openSpan(name, inside.span?.index) };
    }
    const meter = createMeter({ ...(await prepared()), subject: { kind: "span", name, tags: {} } });
    await meter.start();
    return { meter, span: null };
  };

  const measure: Measurer["measure"] = async (name, work) => {
    const frame: Frame = { outer: around(), opened: null };
    const clock = stopwatch();
    const fault = await open(name, frame.outer).then(
      (opened) => {
        frame.opened = opened;
        return null;
      },
      // Work is done whether or not it can be measured.
      (error: unknown) => reasonOf(error),
    );
    let result: Awaited<ReturnType<typeof work>>;
    try {
      result = await frames.run(frame, async () => work());
    } catch (error) {
      await close(frame, "failed", clock).catch(() => {});
      throw error;
    }
    const used = await close(frame, "complete", clock);
    const notices = fault === null ? used.notices : [...used.notices, `not measured: ${fault}`];
    return Object.freeze({ ...used, notices: Object.freeze(notices), result });
  };

  return {
    measure,

    measured(name, work, onMeasured) {
      return async (...args) => {
        const outcome = await measure(name, () => work(...args));
        onMeasured?.(outcome);
        return outcome.result;
      };
    },

    // Not async: the frame has to be entered in the caller's own flow.
    openSpan(name) {
      const frame: Frame = { outer: around(), opened: null };
      frames.enter(frame);
      const clock = stopwatch();
      let closing: Promise<Measured<undefined>> | undefined;
      const closeSpan = (): Promise<Measured<undefined>> => {
        frames.enter(frame.outer);
        closing ??= close(frame, "complete", clock).then((used) =>
          Object.freeze({ ...used, result: undefined }),
        );
        return closing;
      };
      const span: Span = {
        name,
        close: closeSpan,
        async [Symbol.asyncDispose]() {
          await closeSpan();
        },
      };
      return open(name, frame.outer).then(
        (opened) => {
          frame.opened = opened;
          return span;
        },
        () => span,
      );
    },
  };
}

async function prepare(
  options: MeasurerOptions,
): Promise<MeasurerOptions & { readonly setup: Setup }> {
  return { ...options, setup: options.setup ?? (await setUp(options.host, options)) };
}

/** Closes a frame's span or run, and says what it used. */
async function close(
  frame: Frame,
  status: Card["status"],
  clock: () => number,
): Promise<Omit<Measured<never>, "result">> {
  const { opened } = frame;
  frame.opened = null;
  if (opened === null) return { duration: durationFigure(clock()), notices: [] };
  const { meter, span } = opened;
  if (span !== null) return usedBySpan(await span.close());
  const card = await meter.stop({ status });
  const { duration, energy, emissions } = card.measures;
  const headline = energy?.[card.boundary.headline];
  return {
    duration,
    ...(headline === undefined ? {} : { energy: headline }),
    ...(emissions === undefined ? {} : { emissions }),
    notices: card.notices,
    card,
  };
}

function usedBySpan({
  duration,
  energy,
  emissions,
  notices,
}: Summary): Omit<Measured<never>, "result"> {
  return {
    duration: durationFigure(duration),
    ...(energy === undefined ? {} : { energy }),
    ...(emissions === undefined ? {} : { emissions }),
    notices,
  };
}

const durationFigure = (seconds: number): Figure<"s"> =>
  exact("s", seconds, { method: "measured", source: "monotonic clock" });

/** Seconds since it was made. */
function stopwatch(): () => number {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}
