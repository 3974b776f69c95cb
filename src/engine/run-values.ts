// What a run is given and what it is asked for, checked against the graph's ports before ONNX Runtime
// sees it.

import { UserError } from "../core/index.ts";
import { type Feed, fitFeed, type Port, portNamed, portText } from "./port.ts";
import {
  copyElements,
  fitsType,
  isTensorValue,
  overlap,
  sizeOf,
  type TensorValue,
} from "./tensor-value.ts";

/** Tensors for every input. Throws UserError for inputs that are missing, unknown or do not fit. */
export function bindFeeds(
  ports: readonly Port[],
  feeds: Readonly<Record<string, Feed>>,
  model: string,
): ReadonlyMap<string, TensorValue> {
  const fed = new Map(
    Object.entries(feeds).map(([name, feed]) => [
      name,
      fitFeed(portNamed(ports, name, "input", model), feed, model),
    ]),
  );
  const missing = ports.filter(({ name }) => !fed.has(name));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => `"${name}"`).join(", ");
    throw new UserError("invalid-input", `${model} needs input ${names}`, {
      hint: `Feed ${missing.map((port) => `${port.name}: ${portText(port)}`).join("; ")}.`,
    });
  }
  return fed;
}

/** Tensors to write outputs to. Throws UserError where an array cannot take the output. */
export function bindTargets(
  ports: readonly Port[],
  into: Readonly<Record<string, Feed>>,
  model: string,
): ReadonlyMap<string, TensorValue> {
  return new Map(
    Object.entries(into).map(([name, feed]) => {
      const port = portNamed(ports, name, "output", model);
      if (isTensorValue(feed)) return [name, checkedTarget(port, feed, model)];
      const dims = port.dims?.filter((size) => typeof size === "number");
      if (port.dataType === null || dims === undefined || dims.length !== port.dims?.length) {
        throw new UserError(
          "invalid-input",
          `output "${name}" of ${model} is ${portText(port)}: bare elements do not say its size`,
          { hint: "Give { dataType, dims, data } to write to." },
        );
      }
      return [name, checkedTarget(port, { dataType: port.dataType, dims, data: feed }, model)];
    }),
  );
}

function checkedTarget(port: Port, value: TensorValue, model: string): TensorValue {
  const { dataType, dims, data } = value;
  const numeric = dataType !== "string" && fitsType(data, dataType);
  if (dataType === port.dataType && numeric && data.length === sizeOf(dims)) return value;
  const given = `${dataType} [${dims.join(", ")}] with ${data.length} elements`;
  throw new UserError(
    "invalid-input",
    `output "${port.name}" of ${model} is ${portText(port)} and cannot be written to ${given}`,
    {
      hint: "Give a typed array of the output's type with as many elements as its dimensions say.",
    },
  );
}

/** Names of the outputs to compute: those asked for, by default every tensor. */
export function wantedOutputs(
  ports: readonly Port[],
  outputs: readonly string[] | undefined,
  into: ReadonlyMap<string, TensorValue>,
  model: string,
): readonly string[] {
  const named =
    outputs ?? ports.filter(({ dataType }) => dataType !== null).map(({ name }) => name);
  for (const name of named) portNamed(ports, name, "output", model);
  return [...new Set([...named, ...into.keys()])];
}

/**
 * What was computed, in the caller's array where one was given. `written`: whether it is there already;
 * ONNX Runtime hands back a copy all the same.
 */
export function deliver(
  value: TensorValue,
  target: TensorValue | undefined,
  {
    output,
    model,
    written = false,
  }: { readonly output: string; readonly model: string; readonly written?: boolean },
): TensorValue {
  if (target === undefined) return value;
  if (String(value.dims) !== String(target.dims)) {
    const [computed, given] = [value.dims.join(", "), target.dims.join(", ")];
    const fault = `output "${output}" of ${model} is [${computed}] in this run, the array to write to is [${given}]`;
    throw new UserError("invalid-input", fault, {
      hint: "Provide an array of the computed size, or none.",
    });
  }
  if (!written && !overlap(value.data, target.data)) copyElements(value.data, target.data);
  return target;
}
