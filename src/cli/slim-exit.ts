// How `godwit slim` ends, for scripts: faults of the model and of the data are told apart.

import { UserError } from "../core/errors.ts";

/** Exit codes of `godwit slim`. */
export const SLIM_EXIT = {
  /** A smaller model was written and verified. */
  improved: 0,
  /** The accuracy budget cannot be met, or it cannot be shown that it is. */
  notShown: 2,
  /** Nothing costs less than the original with tuned settings. */
  nothing: 3,
  badModel: 4,
  badData: 5,
  /** The written file failed its checks: a fault of godwit. */
  faulty: 6,
  /** Wrong usage; 64 is EX_USAGE of sysexits.h, since 2 is a verdict here. */
  usage: 64,
  interrupted: 130,
} as const;

type SlimCode = (typeof SLIM_EXIT)[keyof typeof SLIM_EXIT];

class SlimError extends UserError {
  readonly #exit: SlimCode;

  constructor(fault: UserError, exit: SlimCode) {
    super(fault.code, fault.message, { hint: fault.hint, cause: fault });
    this.#exit = exit;
  }

  override get exitCode(): number {
    return this.#exit;
  }
}

/** Runs work whose faults end with this code; wrong usage keeps one of its own. */
export async function endingWith<T>(exit: SlimCode, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isTold = error instanceof UserError && !(error instanceof SlimError);
    throw isTold && error.code !== "usage" ? new SlimError(error, exit) : error;
  }
}
