// Whether a new version of an operator takes every node of the version before it as it is. Judged by
// the schemas: the new one may allow more, and may demand nothing new. A change of meaning under the
// same schema is not visible here; the rules know those.

import { parameterAt } from "../check/bind-types.ts";
import type { OperatorSchema, Parameter } from "../operator-table.ts";

/** Whether nodes of `before` are nodes of `after` without any change. */
export function onlyWidens(before: OperatorSchema, after: OperatorSchema): boolean {
  return (
    !after.deprecated &&
    keepsParameters(before, after, "inputs") &&
    keepsParameters(before, after, "outputs") &&
    after.inputArity.min <= before.inputArity.min &&
    after.outputArity.min <= before.outputArity.min &&
    keepsAttributes(before, after)
  );
}

function keepsParameters(
  before: OperatorSchema,
  after: OperatorSchema,
  side: "inputs" | "outputs",
): boolean {
  const kept = before[side].every((parameter, index) => {
    const successor = parameterAt(after[side], index);
    return (
      successor !== null &&
      (successor.option === parameter.option || successor.option === "optional") &&
      allows(after, successor, before, parameter)
    );
  });
  return kept && after[side].slice(before[side].length).every(({ option }) => option !== "single");
}

/** Whether every type of a parameter is one of its successor's types. */
function allows(
  after: OperatorSchema,
  successor: Parameter,
  before: OperatorSchema,
  parameter: Parameter,
): boolean {
  const allowed = typesOf(after, successor);
  return [...typesOf(before, parameter)].every((type) => allowed.has(type));
}

function typesOf(schema: OperatorSchema, { type }: Parameter): ReadonlySet<string> {
  return schema.types.get(type) ?? new Set([type]);
}

function keepsAttributes(before: OperatorSchema, after: OperatorSchema): boolean {
  for (const [name, attribute] of before.attributes) {
    const successor = after.attributes.get(name);
    if (successor === undefined || successor.kind !== attribute.kind) return false;
    const sameDefault = JSON.stringify(successor.default) === JSON.stringify(attribute.default);
    if (!sameDefault && !attribute.required) return false;
  }
  return [...after.attributes].every(
    ([name, { required }]) => !required || before.attributes.get(name)?.required === true,
  );
}
