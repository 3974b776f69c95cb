// Where a graph spends its time: ONNX Runtime's own profile of the very graph that it runs.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../core/index.ts";
import type { Model, Node } from "../onnx/index.ts";
import { type ModelSource, openSource, withModel } from "./model-source.ts";
import type { Feed } from "./port.ts";
import { type NodeTime, readTrace, type Trace } from "./profile-trace.ts";
import {
  load,
  loadRuntime,
  type SessionOptions,
  type SessionSettings,
  sessionOver,
} from "./session.ts";
import { settle } from "./settings.ts";

export interface ProfileOptions extends SessionOptions {
  /** Runs that count. Default: 10. */
  readonly runs?: number;
  /** Runs before those. Default: 2. */
  readonly warmUp?: number;
}

export interface Profile extends Trace {
  readonly nodes: readonly ProfiledNode[];
  readonly settings: SessionSettings;
}

export interface ProfiledNode extends NodeTime {
  /**
   * Name of the model's node that it stems from, as far as ONNX Runtime's name tells: the last one of
   * what was fused. Null where it tells nothing, as for changes of layout. Nodes without a name are
   * called by operator and position: `Conv_12`.
   */
  readonly origin: string | null;
}

/** Runs the model on these inputs and times each node. Only native code is profiled. */
export async function profileModel(
  source: ModelSource,
  feeds: Readonly<Record<string, Feed>>,
  options: ProfileOptions = {},
): Promise<Profile> {
  const { runs = 10, warmUp = 2 } = options;
  const runtime = await loadRuntime(options.runtime);
  if (!runtime.binding.opensFiles) {
    throw new UserError("unsupported", `${runtime.name} does not profile nodes`, {
      hint: "Install onnxruntime-node.",
    });
  }
  const opened = openSource(source, options);
  const folder = mkdtempSync(join(tmpdir(), "godwit-profile-"));
  try {
    const named = withModel(opened, withNodeNames(opened.model));
    const settings = settle(options);
    const extra = { enableProfiling: true, profileFilePrefix: join(folder, "trace") };
    const native = await load(runtime.binding, named, settings, extra);
    const session = sessionOver(native, named, runtime, settings);
    try {
      for (let run = 0; run < warmUp + runs; run++) await session.run(feeds);
      native.endProfiling();
    } finally {
      await session.close();
    }
    const [file] = readdirSync(folder);
    if (file === undefined) throw new TypeError("ONNX Runtime wrote no profile");
    const trace = readTrace(readFileSync(join(folder, file), "utf8"), warmUp);
    const originOf = origins(named.model);
    return {
      ...trace,
      nodes: trace.nodes.map((node) => ({ ...node, origin: originOf(node.name) })),
      settings: session.settings,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    opened.close();
  }
}

/** The model with a name on every node, its own where it has one that no other node has. */
function withNodeNames(model: Model): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const taken = new Set<string>();
  const nodes = graph.nodes.map((node, index): Node => {
    const own = node.name ?? "";
    const name = own === "" || taken.has(own) ? `${node.opType}_${index}` : own;
    taken.add(name);
    return { ...node, name };
  });
  return { ...model, graph: { ...graph, nodes } };
}

/** What ONNX Runtime puts behind a name when it fuses nodes or changes their layout. */
const SUFFIXES = [/_nchwc$/, /_token_\d+$/, /\/\w+$/] as const;

/** Finds the node that a name of the profile stems from: by its own name, or a value that it makes. */
function origins(model: Model): (name: string) => string | null {
  const names = new Map<string, string>();
  for (const { name = "", outputs } of model.graph?.nodes ?? []) {
    for (const output of outputs) names.set(output, name);
  }
  for (const { name = "" } of model.graph?.nodes ?? []) names.set(name, name);
  // One suffix after the other, for a name's own scopes look like suffixes too: `block/conv/fused`.
  const find = (name: string): string | null => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const suffix = SUFFIXES.find((one) => one.test(name));
    return suffix === undefined ? null : find(name.replace(suffix, ""));
  };
  return find;
}
