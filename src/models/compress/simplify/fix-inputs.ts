// Inputs that are always the same, written into the model: a sample rate, a mode, a mask of ones. Branches
// that depend on them can then be decided beforehand.

import { UserError } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";
import { tensorOf } from "../../../onnx/index.ts";
import type { Pass } from "../pass.ts";

/** Values by input. Throws UserError for a name that is no input and for values of another type. */
export const fixInputs: Pass<Readonly<Record<string, TensorValue>>> = {
  name: "fix-inputs",
  fidelity: "exact",
  async apply(model, _context, values) {
    const { graph } = model;
    if (graph === undefined) return { model, changes: [], refused: [] };
    const stored = Object.entries(values).map(([name, { dataType, dims, data }]) => {
      const input = graph.inputs.find((candidate) => candidate.name === name);
      if (input === undefined) throw unknownInput(name, graph.inputs);
      const declared = input.type?.kind === "tensor" ? input.type.elementType : null;
      if (declared !== dataType) throw otherType(name, declared, dataType);
      return { ...tensorOf(dataType, { dims, values: data as ArrayLike<number> }), name };
    });
    const fixed = new Set(stored.map(({ name }) => name));
    const changes = stored.map(({ name }) => ({
      pass: "fix-inputs",
      subject: name,
      what: "is no input any more: its value is stored",
    }));
    const inputs = graph.inputs.filter(({ name }) => !fixed.has(name));
    const initializers = [
      ...graph.initializers.filter(({ name = "" }) => !fixed.has(name)),
      ...stored,
    ];
    return { model: { ...model, graph: { ...graph, inputs, initializers } }, changes, refused: [] };
  },
};

function unknownInput(name: string, inputs: readonly { readonly name: string }[]): UserError {
  return new UserError("invalid-input", `the model has no input "${name}" to give a fixed value`, {
    hint: `Its inputs are: ${inputs.map((input) => input.name).join(", ")}.`,
  });
}

function otherType(name: string, declared: string | null, given: string): UserError {
  return new UserError("invalid-input", `input "${name}" takes ${declared}, not ${given}`, {
    hint: "Give the value in the input's own type.",
  });
}
