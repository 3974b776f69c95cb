// What is wrong with a model, and where.

import { UserError } from "../core/index.ts";

/** A fault of a model file or graph. `where` is a path such as `graph.node[12].attribute[0]`. */
export class ModelError extends UserError {
  override readonly name = "ModelError";
  readonly where: string;
  /** What is wrong, without where. */
  readonly fault: string;

  constructor(message: string, where: string, options: { hint?: string; cause?: unknown } = {}) {
    super("invalid-input", where === "" ? message : `${message} (at ${where})`, {
      hint: options.hint ?? "Export the model again, or check the file with onnx.checker.",
      cause: options.cause,
    });
    this.where = where;
    this.fault = message;
  }

  /** The same fault, told of the file that has it. */
  inFile(path: string): ModelError {
    const { fault, where, hint } = this;
    return new ModelError(`${path}: ${fault}`, where, { hint, cause: this });
  }
}
