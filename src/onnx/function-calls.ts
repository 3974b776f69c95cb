// Which model-local functions call which (onnx.proto, FunctionProto).

import { subGraphsOf } from "./attributes.ts";
import type { FunctionDefinition, Node } from "./model.ts";
import { canonicalDomain } from "./operator-table.ts";

/** Names a function, or the function that a node may call. */
export function functionKey(domain: string | undefined, name: string, overload?: string): string {
  return JSON.stringify([canonicalDomain(domain), name, overload ?? ""]);
}

/** Key of a definition. */
export function keyOf({ domain, name, overload }: FunctionDefinition): string {
  return functionKey(domain, name, overload);
}

/** Names of functions that call one another in a circle, the first again at the end; null for none. */
export function findRecursion(functions: readonly FunctionDefinition[]): readonly string[] | null {
  const byKey = new Map(functions.map((of) => [keyOf(of), of]));
  const calls = new Map(
    [...byKey].map(([key, { nodes }]) => [
      key,
      [...calledKeys(nodes)].filter((called) => byKey.has(called)),
    ]),
  );
  const done = new Set<string>();
  for (const start of byKey.keys()) {
    const cycle = findCycle(start, calls, done);
    if (cycle !== null) return cycle.map((key) => byKey.get(key)?.name ?? key);
  }
  return null;
}

/** Depth first without recursion: a chain of calls may be as long as the file. */
function findCycle(
  start: string,
  calls: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
): readonly string[] | null {
  if (done.has(start)) return null;
  const path = [{ key: start, next: 0 }];
  const onPath = new Set([start]);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const called = calls.get(top.key)?.[top.next++];
    if (called === undefined) {
      path.pop();
      onPath.delete(top.key);
      done.add(top.key);
    } else if (onPath.has(called)) {
      const keys = path.map(({ key }) => key);
      return [...keys.slice(keys.indexOf(called)), called];
    } else if (!done.has(called)) {
      path.push({ key: called, next: 0 });
      onPath.add(called);
    }
  }
  return null;
}

/** Keys of everything that nodes, and nodes inside them, could call. */
function calledKeys(nodes: readonly Node[]): ReadonlySet<string> {
  const keys = new Set<string>();
  const visit = (of: readonly Node[]): void => {
    for (const node of of) {
      keys.add(functionKey(node.domain, node.opType, node.overload));
      for (const { graph } of subGraphsOf(node)) visit(graph.nodes);
    }
  };
  visit(nodes);
  return keys;
}
