// ONNX Runtime's messages in words that name the model, the node, the fault and the remedy. The
// patterns are those of ONNX Runtime 1.30 on its CPU provider; the original stays the error's cause.

import { type ErrorCode, reasonOf, UserError } from "../core/index.ts";

interface Explanation {
  readonly code?: ErrorCode;
  /** Follows "MODEL: ". */
  readonly fault: string;
  readonly hint: string;
}

interface Pattern {
  readonly match: RegExp;
  readonly explain: (groups: Readonly<Record<string, string | undefined>>) => Explanation;
}

const EXPORT_AGAIN = "Export the model again, or check the file with onnx.checker.";

/** In order: the first that matches explains. */
const PATTERNS: readonly Pattern[] = [
  {
    match:
      /In Node, \("(?<node>.*?)", (?<op>\w+), "(?<domain>.*?)".*No Op registered for \w+ with domain_version of (?<opset>\d+)/s,
    explain: ({ node, op, domain, opset }) => ({
      code: "unsupported",
      fault: `there is no operator ${op}${ofDomain(domain)} at opset ${opset} (${nodeText(op, node)})`,
      hint: "Check the operator's name and the opset that the model imports; operators of one's own cannot be run.",
    }),
  },
  {
    match: /In Node, \("(?<node>.*?)", (?<op>\w+), .*No opset import for domain '(?<domain>.*?)'/s,
    explain: ({ node, op, domain }) => ({
      code: "unsupported",
      fault: `${nodeText(op, node)} is of domain "${domain}", which the model does not import`,
      hint: "Operators of one's own cannot be run; export the model without them, or add the missing opset import.",
    }),
  },
  {
    match: /Failed to get a WebGPU adapter/,
    explain: () => ({
      code: "unsupported",
      fault: "there is no graphics processor that WebGPU can use",
      hint: "Run it on the CPU (leave out the runtime), or install a Vulkan, Metal or Direct3D 12 driver.",
    }),
  },
  {
    match:
      /Opset (?<opset>\d+) is under development.*for domain (?<domain>\S+) is till opset (?<last>\d+)/s,
    explain: ({ opset, domain, last }) => ({
      code: "unsupported",
      fault: `opset ${opset} of ${domain} is too new: this ONNX Runtime knows opset ${last}`,
      hint: `Export the model with opset ${last} or lower, or install a newer ONNX Runtime.`,
    }),
  },
  {
    match: /Unsupported model IR version: (?<version>\d+), max supported IR version: (?<last>\d+)/,
    explain: ({ version, last }) => ({
      code: "unsupported",
      fault: `IR version ${version} is too new: this ONNX Runtime knows ${last}`,
      hint: "Export the model with an older onnx package, or install a newer ONNX Runtime.",
    }),
  },
  {
    match:
      /Could not find an implementation for (?<op>\w+)\((?<version>\d+)\) node with name '(?<node>.*?)'/,
    explain: ({ op, node }) => ({
      code: "unsupported",
      fault: `${nodeText(op, node)} has no CPU kernel for the element types it is given`,
      hint: "Cast its inputs to float32 (bfloat16, float16 and the narrow types have few kernels).",
    }),
  },
  {
    match: /Type Error: (?<what>.*) in node \((?<node>.*?)\)/s,
    explain: ({ what, node }) => ({
      fault: `${nodeText(undefined, node)}: ${lowerFirst(what)}`,
      hint: "Insert a Cast, or correct the types of the node's inputs.",
    }),
  },
  {
    match: /Node \((?<node>.*?)\) Op \((?<op>\w+)\) \[(?:Shape|Type)InferenceError\] (?<what>.*)/s,
    explain: ({ node, op, what }) => ({
      fault: `${nodeText(op, node)}: ${lowerFirst(what)}`,
      hint: "Check the shapes and attributes of this node's inputs.",
    }),
  },
  {
    match: /Node input '(?<value>.*?)' is not a graph input/,
    explain: ({ value }) => ({
      fault: `a node reads "${value}", which nothing in the graph makes`,
      hint: EXPORT_AGAIN,
    }),
  },
  {
    match: /Graph output \((?<value>.*?)\) does not exist/,
    explain: ({ value }) => ({
      fault: `the output "${value}" is made by no node`,
      hint: EXPORT_AGAIN,
    }),
  },
  {
    match: /In Node, \("(?<node>.*?)", (?<op>\w+), .*, Error (?<what>.*)/s,
    explain: ({ node, op, what }) => ({
      fault: `${nodeText(op, node)}: ${lowerFirst(what)}`,
      hint: "Correct the node, or export the model again.",
    }),
  },
  {
    match: /protobuf parsing failed|Model data pointer is null|No graph was found/i,
    explain: () => ({
      fault: "the file is damaged or no ONNX model",
      hint: "Copy or export the model again.",
    }),
  },
  {
    match: /External data path(?:.*?initializer: (?<value>\S+)\. Error)?/s,
    explain: ({ value }) => ({
      fault: `the data file of tensor "${value ?? "?"}" is missing or outside the model's folder`,
      hint: "Copy the data files beside the model, or give their folder as dataFolder.",
    }),
  },
  {
    match: /Unsupported data type: (?<type>\d+)/,
    explain: ({ type }) => ({
      code: "unsupported",
      fault: `an input or output has elements of TensorProto type ${type}, which JavaScript cannot be handed`,
      hint: "Put a Cast to float32 at this input or output.",
    }),
  },
  {
    match:
      /output OrtValue provided for output '(?<value>.*?)'.*has shape \{(?<given>.*?)\}.*this run is \{(?<computed>.*?)\}/s,
    explain: ({ value, given, computed }) => ({
      fault: `output "${value}" is [${spaced(computed)}] in this run, the array to write to is [${spaced(given)}]`,
      hint: "Provide an array of the computed size, or none.",
    }),
  },
  {
    match: /bad_alloc|Failed to allocate memory|not enough memory/i,
    explain: () => ({
      code: "unsupported",
      fault: "the memory of this machine does not suffice",
      hint: "Take a smaller batch, or a machine with more memory.",
    }),
  },
  {
    match: /while running (?<op>\w+) node\. Name:'(?<node>.*?)' Status Message: (?<what>.*)/s,
    explain: ({ op, node, what }) => ({
      fault: `${nodeText(op, node)} failed: ${withoutOrigin(what)}`,
      hint: "Check the shapes and values that were fed against what this node expects.",
    }),
  },
  {
    match: /(?:Invalid rank for input|invalid dimensions for input): (?<value>\S+)/,
    explain: ({ value }) => ({
      fault: `input "${value}" has other dimensions than the model expects`,
      hint: "Feed it in the dimensions that the session lists in `inputs`.",
    }),
  },
];

/** A UserError that names model, node, fault and remedy; errors that already do are returned as they are. */
export function explainFault(cause: unknown, model: string, doing: "load" | "run"): UserError {
  if (cause instanceof UserError) return cause;
  const message = reasonOf(cause);
  for (const { match, explain } of PATTERNS) {
    const found = match.exec(message);
    if (found === null) continue;
    const { code = "invalid-input", fault, hint } = explain(found.groups ?? {});
    return new UserError(code, `cannot ${doing} ${model}: ${fault}`, { hint, cause });
  }
  return new UserError("unsupported", `cannot ${doing} ${model}: ${withoutOrigin(message)}`, {
    hint: "ONNX Runtime refused it for this reason; check the model with onnx.checker.",
    cause,
  });
}

const ofDomain = (domain: string | undefined): string =>
  domain === undefined || domain === "" ? "" : ` of domain "${domain}"`;

function nodeText(op: string | undefined, name: string | undefined): string {
  const kind = op === undefined ? "" : ` (${op})`;
  if (name === undefined || name === "")
    return `${op === undefined ? "a" : `a ${op}`} node without a name`;
  return `node "${name}"${kind}`;
}

/** Without the C++ file, line and signature that ONNX Runtime puts in front. */
function withoutOrigin(text: string | undefined): string {
  const plain = (text ?? "")
    .replace(/^.*?\[ONNXRuntimeError\] : \d+ : \w+ : /s, "")
    .replace(/^\S+\.(?:h|cc):\d+ (?:[^\n]*?\) )?/, "")
    .replace(/\s+/g, " ")
    .trim();
  return plain === "" ? "ONNX Runtime gave no reason" : plain;
}

const lowerFirst = (text: string | undefined): string => {
  const plain = withoutOrigin(text).replace(/\.$/, "");
  return plain.charAt(0).toLowerCase() + plain.slice(1);
};

const spaced = (dims: string | undefined): string => (dims ?? "").split(",").join(", ");
