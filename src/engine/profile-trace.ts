// ONNX Runtime's profile (a Chrome trace) as times by node.

import { median, type Seconds, seconds } from "../core/index.ts";

/** One node of the graph as ONNX Runtime runs it, which is not always a node of the model. */
export interface NodeTime {
  /** ONNX Runtime's name: the node's own, or one that says what it was fused from. */
  readonly name: string;
  readonly operator: string;
  readonly provider: string;
  /** Least time over the runs: what is left when nothing else disturbs. Whole microseconds. */
  readonly least: Seconds;
  readonly median: Seconds;
  /** Shapes and types as the trace has them: `float [1, 16, 28, 28]`. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Bytes of weights that the node reads, and of what it makes. Null where the trace does not say. */
  readonly weightBytes: number | null;
  readonly outputBytes: number | null;
}

export interface Trace {
  /** In the order of the run. A control-flow node contains the time of the nodes in its body. */
  readonly nodes: readonly NodeTime[];
  /** Time of each run as a whole. */
  readonly runs: readonly Seconds[];
}

interface Event {
  readonly cat?: string;
  readonly name?: string;
  /** Microseconds. */
  readonly dur?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Times by node over all runs but the first `skip`, which warm up. */
export function readTrace(text: string, skip: number): Trace {
  const nodes = new Map<string, { readonly event: Event; readonly times: number[] }>();
  const runs: number[] = [];
  let current = new Map<string, { event: Event; time: number }>();
  let seen = 0;
  for (const event of JSON.parse(text) as readonly Event[]) {
    if (event.cat === "Node" && event.name?.endsWith(KERNEL)) addTo(current, event);
    if (event.cat !== "Session" || event.name !== "model_run") continue;
    // The trace closes a run after its nodes.
    if (seen++ >= skip) {
      runs.push(event.dur ?? 0);
      for (const [key, { event: node, time }] of current) {
        const known = nodes.get(key);
        if (known === undefined) nodes.set(key, { event: node, times: [time] });
        else known.times.push(time);
      }
    }
    current = new Map();
  }
  return {
    nodes: [...nodes.values()].map(({ event, times }) => nodeTime(event, times)),
    runs: runs.map(fromMicroseconds),
  };
}

const KERNEL = "_kernel_time";
const fromMicroseconds = (time: number): Seconds => seconds(time / 1e6);

/** A node in the body of a loop occurs once a turn: its times add up. */
function addTo(run: Map<string, { event: Event; time: number }>, event: Event): void {
  const key = `${event.name}\n${event.args?.["node_index"]}`;
  const known = run.get(key);
  if (known === undefined) run.set(key, { event, time: event.dur ?? 0 });
  else known.time += event.dur ?? 0;
}

function nodeTime({ name = "", args = {} }: Event, times: readonly number[]): NodeTime {
  return {
    name: name.slice(0, -KERNEL.length),
    operator: String(args["op_name"] ?? ""),
    provider: String(args["provider"] ?? ""),
    least: fromMicroseconds(Math.min(...times)),
    median: fromMicroseconds(median(times)),
    inputs: typeShapes(args["input_type_shape"]),
    outputs: typeShapes(args["output_type_shape"]),
    weightBytes: byteCount(args["parameter_size"]),
    outputBytes: byteCount(args["output_size"]),
  };
}

/** `[{"float":[2,3]}]` as `float [2, 3]`. */
function typeShapes(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) =>
    Object.entries(entry ?? {}).map(
      ([type, dims]) => `${type} [${Array.isArray(dims) ? dims.join(", ") : ""}]`,
    ),
  );
}

function byteCount(value: unknown): number | null {
  const count = Number(value);
  return value === undefined || !Number.isFinite(count) ? null : count;
}
