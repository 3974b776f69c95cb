// Distillation with the teacher in the same graph: its weights are constants, so that it runs at the speed
// of inference, and its logits need not be stored.

import { UserError } from "../../core/index.ts";
import {
  canonicalDomain,
  freshNames,
  type Model,
  type Node,
  namesIn,
  renameNode,
} from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";
import { logitsOf } from "./new-head.ts";

export interface WithTeacher {
  readonly model: Model;
  /** Value with the teacher's logits, for `distillation`. */
  readonly teacher: string;
}

/**
 * The student with the teacher beside it, on the same inputs. Both must have inputs of the same names, or
 * one each, and speak the same opset. Throws UserError where they do not.
 */
export function withTeacher(student: Model, teacher: Model): WithTeacher {
  requireSameOpsets(student, teacher);
  const [own, other] = [graphOf(student), graphOf(teacher)];
  const fresh = freshNames(namesIn(own));
  const renaming = new Map<string, string>(
    other.inputs.map(({ name }, at) => [name, inputFor(name, at, student, teacher)]),
  );
  const rename = (name: string): void => {
    if (name !== "" && !renaming.has(name)) renaming.set(name, fresh(`teacher/${name}`));
  };
  for (const { name = "" } of other.initializers) rename(name);
  for (const { outputs } of other.nodes) for (const output of outputs) rename(output);
  const nodes = other.nodes.map((node): Node => {
    const named = { ...node, name: fresh(`teacher/${node.name ?? node.opType}`) };
    // It is asked, not trained: nothing is dropped.
    return renameNode(node.opType === "Dropout" ? asIdentity(named) : named, renaming);
  });
  const initializers = other.initializers.map((tensor) => ({
    ...tensor,
    name: renaming.get(tensor.name ?? "") ?? "",
  }));
  const model = {
    ...student,
    graph: {
      ...own,
      nodes: [...nodes, ...own.nodes],
      initializers: [...own.initializers, ...initializers],
    },
  };
  return { model, teacher: renaming.get(logitsOf(teacher)) ?? "" };
}

const asIdentity = (node: Node): Node => ({
  ...node,
  opType: "Identity",
  inputs: node.inputs.slice(0, 1),
  outputs: node.outputs.slice(0, 1),
  attributes: [],
});

function inputFor(name: string, at: number, student: Model, teacher: Model): string {
  const inputs = graphOf(student).inputs.map((info) => info.name);
  if (inputs.includes(name)) return name;
  const only = inputs.length === 1 && graphOf(teacher).inputs.length === 1 ? inputs[at] : undefined;
  if (only !== undefined) return only;
  throw new UserError("invalid-input", `the student has no input "${name}", the teacher has`, {
    hint: `The student's inputs are ${inputs.join(", ")}; rename one of them.`,
  });
}

function requireSameOpsets(student: Model, teacher: Model): void {
  const versions = ({ opsetImports }: Model) =>
    new Map(opsetImports.map(({ domain, version }) => [canonicalDomain(domain), version]));
  const own = versions(student);
  for (const [domain, version] of versions(teacher)) {
    if (own.get(domain) === version) continue;
    throw new UserError("invalid-input", `student and teacher speak different opsets`, {
      hint: "Bring both to one with normaliseForTraining.",
    });
  }
}
