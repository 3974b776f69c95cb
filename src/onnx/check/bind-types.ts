// Types of a node's values against its operator's constraints: every input of type `T` must have one
// type, which must be among those that `T` allows; outputs of type `T` then have it too.

import { attributeOf, intOf } from "../attributes.ts";
import { DATA_TYPES, type Node } from "../model.ts";
import type { OperatorSchema, Parameter } from "../operator-table.ts";

/** The types of a node's values, and what contradicts the operator's constraints. */
export interface BoundTypes {
  /** One for each output; null where it does not follow from the inputs. */
  readonly outputs: readonly (string | null)[];
  readonly faults: readonly string[];
}

/** Checks the known types of inputs (null is not known) and derives those of outputs. */
export function bindTypes(
  node: Node,
  schema: OperatorSchema,
  typeOf: (value: string) => string | null,
): BoundTypes {
  const faults: string[] = [];
  const bound = new Map<string, { readonly type: string; readonly input: string }>();
  node.inputs.forEach((value, index) => {
    const parameter = parameterAt(schema.inputs, index);
    const type = value === "" ? null : typeOf(value);
    if (parameter === null || type === null) return;
    const allowed = schema.types.get(parameter.type) ?? new Set([parameter.type]);
    if (!allowed.has(type)) {
      faults.push(`input "${parameter.name}" is ${type}, and may be ${listed(allowed)}`);
      return;
    }
    if (!parameter.homogeneous || !schema.types.has(parameter.type)) return;
    const first = bound.get(parameter.type);
    if (first === undefined) {
      bound.set(parameter.type, { type, input: parameter.name });
    } else if (first.type !== type) {
      const other = first.input === parameter.name ? "another of them" : `"${first.input}"`;
      faults.push(`input "${parameter.name}" is ${type} while ${other} is ${first.type}`);
    }
  });
  const stated = statedType(node);
  const outputs = node.outputs.map((_, index): string | null => {
    const parameter = parameterAt(schema.outputs, index);
    if (parameter === null || !parameter.homogeneous) return null;
    if (index === 0 && stated !== undefined) return stated;
    const allowed = schema.types.get(parameter.type);
    if (allowed === undefined) return parameter.type;
    const [only] = allowed;
    return bound.get(parameter.type)?.type ?? (allowed.size === 1 ? (only ?? null) : null);
  });
  return { outputs, faults };
}

/** The parameter at a position; the last one again when it is variadic; null past the end. */
export function parameterAt(parameters: readonly Parameter[], index: number): Parameter | null {
  const last = parameters.at(-1);
  return parameters[index] ?? (last?.option === "variadic" ? last : null);
}

/** The output type that attributes state; null when they state none that is known. */
function statedType(node: Node): string | null | undefined {
  switch ((node.domain ?? "") === "" ? node.opType : "") {
    case "Cast":
      return attributeOf(node, "to")?.kind === "int" ? dataTypeName(intOf(node, "to", 0)) : null;
    case "Constant":
    case "ConstantOfShape": {
      const value = attributeOf(node, "value");
      if (value?.kind === "tensor") return value.value.dataType;
      return node.opType === "ConstantOfShape" && value === null ? "float32" : null;
    }
    default:
      return undefined;
  }
}

function dataTypeName(number: number): string | null {
  return Object.entries(DATA_TYPES).find(([, value]) => value === number)?.[0] ?? null;
}

function listed(types: ReadonlySet<string>): string {
  const names = [...types];
  return names.length <= 4 ? names.join(", ") : `${names.slice(0, 4).join(", ")} ...`;
}
