// How a session is set up. The defaults are those that cost the least energy.

import { availableParallelism } from "node:os";
import type { BindingOptions } from "./binding.ts";

/** How a graph is run. Everything has a default. */
export interface EngineOptions {
  /** Threads within one operator. Default: `defaultThreads()`. `tuneThreads` finds the best number. */
  readonly threads?: number;
  /**
   * Whether threads burn power between runs to wake up a little sooner. Default: false. See
   * docs/methods/engine.md for what that saves.
   */
  readonly spinning?: boolean;
  /** How far ONNX Runtime rewrites the graph. Default: all. */
  readonly optimisation?: Optimisation;
  /** Whether freed memory is kept for the next run. Default: true; without it runs take much longer. */
  readonly arena?: boolean;
  /**
   * Whether the memory of a whole run is planned and taken at once. Default: true. Without it peaks
   * are lower (a third on convolutional training steps), transformers a quarter slower.
   */
  readonly memoryPattern?: boolean;
  /** Whether numbers below about 1e-38 count as zero, which some CPUs compute faster. Default: false. */
  readonly denormalsAsZero?: boolean;
}

export type Optimisation = "none" | "basic" | "extended" | "all";

/** What a session really runs with. */
export type EngineSettings = Required<EngineOptions>;

/**
 * More threads than this rarely pay for one small or medium model: their synchronisation costs more
 * CPU time than it saves in latency. Ask for more where it was measured to pay.
 */
const DEFAULT_THREAD_CAP = 4;

/**
 * Cores that this process may use, by affinity and by the quota of its container, but at most 4. On
 * processors with two threads a core these count as two.
 */
export const defaultThreads = (): number => Math.min(availableParallelism(), DEFAULT_THREAD_CAP);

/** The options with every default filled in. Throws RangeError for thread numbers that cannot be. */
export function settle(options: EngineOptions): EngineSettings {
  const threads = options.threads ?? defaultThreads();
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(`threads must be a whole number from 1 on, not ${threads}`);
  }
  return {
    threads,
    spinning: options.spinning ?? false,
    optimisation: options.optimisation ?? "all",
    arena: options.arena ?? true,
    memoryPattern: options.memoryPattern ?? true,
    denormalsAsZero: options.denormalsAsZero ?? false,
  };
}

/** ONNX Runtime's level for each of ours. */
const LEVELS: Readonly<Record<Optimisation, string>> = {
  none: "disabled",
  basic: "basic",
  extended: "extended",
  all: "all",
};

/** Only messages about the end of the process: everything else comes back as an error. */
const FATAL = 4;

/**
 * The settings in ONNX Runtime's words. The keys under `extra` are those of
 * onnxruntime_session_options_config_keys.h; their values must be strings.
 */
export function bindingOptions(
  settings: EngineSettings,
  dataFolder: string | null,
): BindingOptions {
  const allow_spinning = settings.spinning ? "1" : "0";
  return {
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: LEVELS[settings.optimisation],
    enableCpuMemArena: settings.arena,
    enableMemPattern: settings.memoryPattern,
    logSeverityLevel: FATAL,
    extra: {
      session: {
        intra_op: { allow_spinning },
        inter_op: { allow_spinning },
        set_denormal_as_zero: settings.denormalsAsZero ? "1" : "0",
        ...(dataFolder === null
          ? {}
          : { model_external_initializers_file_folder_path: dataFolder }),
      },
    },
  };
}
