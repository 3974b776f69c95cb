// What a user can act on. Everything else that is thrown is a bug of ours.

/** Exit codes of the command line, as `godwit help exit-codes` lists them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  nothingMeasured: 3,
  budgetExceeded: 4,
  /** godwit itself failed while wrapping a command; the command was not started. */
  wrapperFailed: 125,
  /** The wrapped command was found but could not be executed. */
  notExecutable: 126,
  /** The wrapped command was not found. */
  notFound: 127,
} as const;

/** Kinds of fault, stable across versions so that scripts can tell them apart. */
export type ErrorCode =
  | "usage"
  /** The command that was to be run is not there. */
  | "not-found"
  /** It is there, and cannot be run. */
  | "not-executable"
  | "denied"
  | "invalid-input"
  | "ledger"
  | "unsupported"
  | "network"
  | "nothing-measured"
  | "budget-exceeded"
  | "wrapper-failed";

const EXIT_OF: Record<ErrorCode, number> = {
  usage: EXIT.usage,
  "not-found": EXIT.notFound,
  "not-executable": EXIT.notExecutable,
  denied: EXIT.failed,
  "invalid-input": EXIT.usage,
  ledger: EXIT.failed,
  unsupported: EXIT.failed,
  network: EXIT.failed,
  "nothing-measured": EXIT.nothingMeasured,
  "budget-exceeded": EXIT.budgetExceeded,
  "wrapper-failed": EXIT.wrapperFailed,
};

/** An error the user can act on: `message` says what happened to what, `hint` what to do. */
export class UserError extends Error {
  override readonly name: string = "UserError";
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: { hint: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  /** The process exit code that stands for this kind of fault. */
  get exitCode(): number {
    return EXIT_OF[this.code];
  }
}

/** The text of anything thrown, for a notice or a gap's reason. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
